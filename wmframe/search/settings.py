"""How a controller is searched for: the schema of conf/search. Read by the controller stage."""

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge
from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from wmframe.search.strategy import Parameters, Strategy

Chosen = Literal["mean", "select"]


@dataclass(frozen=True, kw_only=True)
class Search:
    """A population of `population` candidates, each fitted on `rollouts` common seeds, for `generations`.

    `optimizer` is ParametrizedCMA or any registered Nevergrad name that takes populations; `sigma` the first spread;
    `diagonal` keeps CMA's covariance diagonal (thousands of parameters). Every `check_every` generations, and at the
    end, the distribution mean is scored on `select_rollouts` select seeds in the same world. `returned` is "mean",
    the last distribution mean, or "select", the best of those scored means; an optimizer without a mean offers the
    last generation's best candidates instead, re-scored. Never the luckiest sample.
    """

    optimizer: str = "ParametrizedCMA"
    population: Annotated[int, Ge(3)] = 64
    rollouts: PositiveInt = 16
    generations: NonNegativeInt = 1800
    sigma: PositiveFloat = 0.1
    diagonal: bool = False
    check_every: PositiveInt = 25
    select_rollouts: PositiveInt = 64
    returned: Chosen = "mean"

    def begin(self, start: Parameters, seed: int) -> Strategy:
        """Return a strategy at its first generation, spread around `start` (D,)."""
        return Strategy(
            optimizer=self.optimizer,
            population=self.population,
            sigma=self.sigma,
            diagonal=self.diagonal,
            start=start,
            seed=seed,
        )
