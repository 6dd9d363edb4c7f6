"""What a search is given beside its world, C and where C starts, and what it returns.

Made by the controller stage, taken by `SearchSettings.train`. Legend: P candidates, D parameters, R roll-outs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from wmframe.controller.contract import Controller
from wmframe.data.seeds import draw_seeds
from wmframe.engine.runs.context import StageContext
from wmframe.search.strategy import Parameters
from wmframe.worlds.contract import World
from wmframe.worlds.rollout import population_returns

Scores = npt.NDArray[np.float64]

Score = Callable[[Parameters, Sequence[int]], Scores]
"""The mean returns (P,) of candidates (P, D) on these seeds (R,); more is better."""


@dataclass(frozen=True)
class Found:
    """The parameters (D,), their mean return on select seeds, and the generation or update that they come from.

    0 is what the search began with.
    """

    parameters: Parameters
    select_score: float
    generation: int


@dataclass(frozen=True, kw_only=True)
class SearchContext:
    """How candidates are scored, the chance that they are scored under, and the stage that the search is done for.

    `stage` keeps what an interrupted search goes on from (`resume`, `key`), its curves and progress, and knows the
    machine. All chance is a function of `seed`, so that a killed search ends with the same bits.
    """

    score: Score
    seed: int
    stage: StageContext

    def train_seeds(self, count: int, *purpose: int | str) -> list[int]:
        """Return seeds to search on, a pure function of the run's seed and their purpose ("fitness", generation)."""
        return draw_seeds("train", (self.seed, *purpose), count)

    def select_seeds(self, count: int) -> list[int]:
        """Return the seeds that say where a search stands: the same all along, and none that it searches on."""
        return draw_seeds("select", (self.seed, "search"), count)


def scorer(world: World, controller: Controller, device: torch.device) -> Score:
    """Return how candidates for a controller are scored in a world: all on the same seeds, float32 on `device`."""

    def score(candidates: Parameters, seeds: Sequence[int]) -> Scores:
        parameters = torch.from_numpy(candidates).float().to(device)
        return population_returns(world, controller, parameters, seeds).mean(1).numpy()

    return score
