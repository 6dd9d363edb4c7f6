"""A search of a user's own: the best of some draws around the start.

One file, one YAML (conf/search/random_search.yaml beside it), and no edit anywhere else.
"""

from dataclasses import dataclass

import numpy as np
from pydantic import PositiveFloat, PositiveInt

from wmframe.controller.contract import Controller
from wmframe.search.contract import Found, SearchContext
from wmframe.search.settings import SearchSettings
from wmframe.search.strategy import Parameters
from wmframe.worlds.contract import World
from wmframe.worlds.settings import WorldSettings


@dataclass(frozen=True, kw_only=True)
class RandomSearch(SearchSettings):
    """The start and `draws` others, normal around it with deviation `spread`; the best on select seeds is returned."""

    draws: PositiveInt = 16
    spread: PositiveFloat = 0.5

    def check(self, world: WorldSettings) -> None:
        return

    def train(self, world: World, controller: Controller, start: Parameters, context: SearchContext) -> Found:
        chance = np.random.default_rng(context.train_seeds(1, "draws")[0])
        drawn = start + self.spread * chance.standard_normal((self.draws, controller.size))
        candidates = np.concatenate([start[None], drawn])
        scores = context.score(candidates, context.select_seeds(self.select_rollouts))
        with context.stage.history() as history:
            for number, score in enumerate(scores):
                history.log(number, {"controller/select_return": score})
        best = int(scores.argmax())
        return Found(candidates[best], float(scores[best]), best)
