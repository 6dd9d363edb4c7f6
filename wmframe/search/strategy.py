"""Nevergrad's optimizers as a generation loop that maximises: ask for P candidates, tell their fitness.

The one place where the sign is turned and where Nevergrad is touched. Its traps are handled here: the population is
explicit, and a silent restart or a swallowed generation is an error. Called by `evolve` and by evolving collection.
Legend: P population, D parameters.
"""

import hashlib
import warnings
from typing import Any, Final

import nevergrad as ng
import numpy as np
import numpy.typing as npt
from nevergrad.optimization.base import ConfiguredOptimizer
from nevergrad.optimization.optimizerlib import _CMA, ChoiceBase, NGOptBase, registry

from wmframe.engine.errors import UserError

Parameters = npt.NDArray[np.float64]

CMA: Final = "ParametrizedCMA"

RESCORED: Final = 8
"""How many of the last candidates are scored anew, for an optimizer whose distribution has no mean."""

_OTHERS: Final = f"Try {CMA}, TBPSA, RecMixES, PSO or TwoPointsDE."

_NEVER_STOP: Final = {
    "tolfun": 0,
    "tolfunhist": 0,
    "tolx": 0,
    "tolfunrel": 0,
    "tolflatfitness": 10**9,
    "tolstagnation": 10**9,
    "tolfacupx": 1e30,
    "tolupsigma": 1e30,
    "tolconditioncov": 1e30,
    "tolxstagnation": False,
    "minstd": 1e-9,
    "CMA_mirrors": 0,
    "verbose": -10,
    "maxiter": 10**9,
    "maxfevals": 10**12,
}
"""Nevergrad starts CMA-ES over, silently, when pycma says stop; two flat generations are enough. So it never says it.

A least deviation keeps a search that has converged from a stop that no option forbids. Nor does a population below 6
change the algorithm, as pycma's mirrored samples would, or a file in the working directory its options."""


class Strategy:
    """One search in progress, around `start` (D,). `ask`, then `tell`, once per generation."""

    def __init__(
        self, *, optimizer: str, population: int, sigma: float, diagonal: bool, start: Parameters, seed: int
    ) -> None:
        self._population = population
        space = ng.p.Array(init=start).set_mutation(sigma=sigma)
        space.random_state.seed(seed)
        self._name, self.start, self._sigma = optimizer, start, sigma
        self._optimizer = _make(optimizer, space, population, diagonal)
        self._asked: list[Any] = []
        self._generation = 0

    def ask(self) -> Parameters:
        """Return the next generation's candidates (P, D). Raises UserError if the optimizer cannot propose any."""
        try:
            self._asked = [self._optimizer.ask() for _ in range(self._population)]
        except Exception as error:
            raise UserError(_failed(self._name, self._population, error)) from error
        return np.stack([candidate.value for candidate in self._asked])

    def tell(self, fitness: npt.NDArray[np.float64]) -> None:
        """Say how good the last asked candidates are, (P,), in their order; more is better.

        Raises UserError for a fitness that is no number, RuntimeError if the optimizer lost the generation.
        """
        if not np.isfinite(fitness).all():
            bad = int((~np.isfinite(fitness)).sum())
            raise UserError(
                f"search: {bad} of {len(fitness)} candidates of generation {self._generation} have no finite "
                "fitness, so the world returned NaN or infinity. Lower memory.learning_rate and train M again, or "
                "clip rewards with memory.reward_clip.",
                exit_code=1,
            )
        strategy = getattr(self._optimizer, "es", None)
        for candidate, value in zip(self._asked, fitness, strict=True):
            self._optimizer.tell(candidate, -float(value))
        self._generation += 1
        if strategy is not None and (self._optimizer._es is not strategy or strategy.countiter != self._generation):
            raise RuntimeError(f"CMA-ES lost generation {self._generation}: {strategy.stop()}")

    def mean(self) -> Parameters | None:
        """Return the search distribution's mean (D,), or None for an optimizer that has none."""
        strategy = getattr(self._optimizer, "es", None)
        if strategy is None:
            return None
        return self.start + self._sigma * np.asarray(strategy.result.xfavorite)


def fingerprint(candidates: Parameters) -> str:
    """Return 16 hex digits that tell these candidates (P, D) from any others."""
    return hashlib.sha256(np.ascontiguousarray(candidates).tobytes()).hexdigest()[:16]


def optimizers() -> list[str]:
    """Return the names that `search.optimizer` may take."""
    return sorted([CMA, *(name for name, registered in registry.items() if _unsuitable(registered) is None)])


def _make(name: str, space: Any, population: int, diagonal: bool) -> Any:
    if name == CMA:
        family = ng.families.ParametrizedCMA(popsize=population, diagonal=diagonal, inopts=_NEVER_STOP)
        return family(space, budget=None, num_workers=population)
    if name not in registry:
        raise UserError(_unknown(name))
    problem = _unsuitable(registry[name])
    if problem is not None:
        raise UserError(f"search.optimizer={name} {problem}. {_OTHERS}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deprecation notes of optimizers that nobody asked for
            return registry[name](space, budget=None, num_workers=population)
    except Exception as error:
        raise UserError(_failed(name, population, error)) from error


def _unsuitable(registered: Any) -> str | None:
    """Say why a registered optimizer is refused, or None. It is not instantiated: some cannot even be."""
    while isinstance(registered, ConfiguredOptimizer):
        registered = registered._OptimizerClass
    if issubclass(registered, ChoiceBase | NGOptBase):
        return "is a name under which Nevergrad picks another algorithm by budget and workers"
    if issubclass(registered, _CMA):
        return "is CMA-ES that silently starts over after flat generations and may choose its own population"
    if registered.no_parallelization:
        return "asks for one candidate at a time and cannot use a population"
    return None


def _failed(name: str, population: int, error: Exception) -> str:
    said = str(error).strip() or type(error).__name__
    return f"search.optimizer={name} cannot search here with a population of {population}: {said}. {_OTHERS}"


def _unknown(name: str) -> str:
    import difflib

    near = difflib.get_close_matches(name, optimizers(), 3) or [CMA, "TBPSA", "PSO"]
    return f"search.optimizer={name} is not among Nevergrad's {len(optimizers())}. Nearest: {', '.join(near)}."
