"""How a controller is searched for: the schemas of conf/search, each of which trains C itself.

A kind of search is a class below `SearchSettings`; a third is one file and one YAML. What a search works with is
imported where it begins.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, Le
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from wmframe.engine.errors import UserError
from wmframe.memory.rules import Reparameterization

if TYPE_CHECKING:
    from wmframe.controller.contract import Controller
    from wmframe.search.contract import Found, SearchContext
    from wmframe.search.strategy import Parameters, Strategy
    from wmframe.worlds.contract import World
    from wmframe.worlds.settings import WorldSettings

Chosen = Literal["mean", "select", "improved"]


@dataclass(frozen=True, kw_only=True)
class SearchSettings(ABC):
    """What all kinds of search have: every `check_every` generations or updates, and at the end, where the search
    stands is scored on `select_rollouts` select seeds in the world that it searches in.
    """

    check_every: PositiveInt = 25
    select_rollouts: PositiveInt = 64

    @abstractmethod
    def check(self, world: "WorldSettings") -> None:
        """Raise UserError, before any work, for a world that it cannot search in and for what it cannot begin with."""

    @property
    def most_episodes(self) -> int | None:
        """How many episodes of its world it plays at the most; None where it does not say."""
        return None

    @abstractmethod
    def train(self, world: "World", controller: "Controller", start: "Parameters", context: "SearchContext") -> "Found":
        """Search for C in a world, from `start` (D,), and return what was found.

        Where a search of the same result was interrupted, it goes on and ends with the same bits.
        """


@dataclass(frozen=True, kw_only=True)
class GradientSearch(SearchSettings):
    """C climbs the mean return of `dreams` dreams by Adam, their gradient taken through M, for `updates` updates.

    Every update meets new dreams, of `horizon` steps (null: the world's). What is climbed is the mean return less
    `weight_penalty` times the sum of C's squared weights: large weights are what a fault of M is exploited with. The
    learning rate falls linearly from `learning_rate` to `final_learning_rate` times it; gradients are clipped to norm
    `gradient_clip`. The last parameters are returned. It needs a dream, and a memory that PyTorch can differentiate.

    With `reparameterization` "implicit" the gradient is that of the mean dreamt return (Figurnov et al., 2018); with
    "component" it leaves out that C's actions also move which Gaussian of the mixture a latent is drawn from.

    With a `risk_tolerance` ρ a step's pay r is worth ρ (1 - exp(-r/ρ)) instead of r, so that steady pay counts for more
    than high pay: dreams pay by the step, where a lap is paid by its tiles and hardly by its time. M's value at the
    horizon is worth `value_weight` times itself; `weight_penalty` is in the units of what is climbed.

    With several `climbs`, each from the same start in dreams of its own, the mean of what they end with is returned.
    For a linear C that is the mean of what they would do, before tanh: what one of them has learned of an M's faults
    by chance, the others have not.
    """

    updates: NonNegativeInt = 50
    dreams: PositiveInt = 512
    horizon: PositiveInt | None = None
    learning_rate: PositiveFloat = 0.01
    final_learning_rate: Annotated[float, Gt(0), Le(1)] = 0.1
    gradient_clip: PositiveFloat = 1.0
    reparameterization: Reparameterization = "component"
    weight_penalty: NonNegativeFloat = 0.0
    risk_tolerance: PositiveFloat | None = None
    value_weight: NonNegativeFloat = 1.0
    climbs: PositiveInt = 1

    @property
    def all_updates(self) -> int:
        """The updates of all climbs together."""
        return self.climbs * self.updates

    @property
    def climbs_returns(self) -> bool:
        """Whether what is climbed is what the dreams pay, unchanged."""
        return self.risk_tolerance is None and self.value_weight == 1

    def check(self, world: "WorldSettings") -> None:
        """Raise UserError for a world without a gradient."""
        if world.differentiable:
            return
        if world.dreamt:
            raise UserError(f"search=gradient: {type(world).__name__} has no gradient to climb. Add search=cma.")
        raise UserError(
            "search=gradient climbs through M, and on the real track there is nothing to climb through. Add "
            "search=cma, or world=dream_short."
        )

    def train(self, world: "World", controller: "Controller", start: "Parameters", context: "SearchContext") -> "Found":
        """Climb."""
        from wmframe.search.climb import climb

        return climb(self, world, controller, start, context)


@dataclass(frozen=True, kw_only=True)
class Search(SearchSettings):
    """A population of `population` candidates, each fitted on `rollouts` common seeds, for `generations`.

    `optimizer` is ParametrizedCMA or any registered Nevergrad name that takes populations; `sigma` the first spread;
    `diagonal` keeps CMA's covariance diagonal (thousands of parameters). Where it stands is the distribution's mean.
    `returned` is "mean", the last of them, "select", the best of those scored on select seeds, or "improved", the best
    of those and of what it began with; an optimizer without a mean offers the last generation's best candidates
    instead, re-scored. Never the luckiest sample.
    """

    optimizer: str = "ParametrizedCMA"
    population: Annotated[int, Ge(3)] = 64
    rollouts: PositiveInt = 16
    generations: NonNegativeInt = 1800
    sigma: PositiveFloat = 0.1
    diagonal: bool = False
    returned: Chosen = "mean"

    @property
    def most_episodes(self) -> int:
        """All candidates' roll-outs, and those that say where it stands."""
        from wmframe.search.strategy import CMA, RESCORED

        finalists = (1 if self.optimizer == CMA else RESCORED) * -(-self.generations // self.check_every)
        finalists += self.returned == "improved" and self.generations > 0
        return self.generations * self.population * self.rollouts + finalists * self.select_rollouts

    def begin(self, start: "Parameters", seed: int) -> "Strategy":
        """Return a strategy at its first generation, spread around `start` (D,)."""
        from wmframe.search.strategy import Strategy

        return Strategy(
            optimizer=self.optimizer,
            population=self.population,
            sigma=self.sigma,
            diagonal=self.diagonal,
            start=start,
            seed=seed,
        )

    def check(self, world: "WorldSettings") -> None:
        """Raise UserError for an optimizer that is none, or that cannot propose such a population."""
        self.begin(np.zeros(2), 0)

    def train(self, world: "World", controller: "Controller", start: "Parameters", context: "SearchContext") -> "Found":
        """Let a population evolve."""
        from wmframe.search.evolution import evolution

        return evolution(self, start, context)
