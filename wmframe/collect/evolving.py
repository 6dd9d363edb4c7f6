"""A population evolving on the real track for a few generations, every roll-out kept.

What makes data worth dreaming of when random driving is mostly grass: it holds bad drivers and good ones on the same
corners. C of the agent itself learns nothing here; this controller is thrown away. Legend: P candidates, R roll-outs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from pydantic import PositiveInt
from torch import Tensor

from wmframe.collect.contract import Batches, EpisodeBatch, Origin, Setting, Source
from wmframe.collect.exploration import Exploration
from wmframe.controller.contract import Controller
from wmframe.data.seeds import draw_seeds
from wmframe.envs.actions import ACTIONS, Actions
from wmframe.memory.contract import Memory
from wmframe.search.settings import Search
from wmframe.vision.contract import Vision
from wmframe.worlds.reality import Reality
from wmframe.worlds.rollout import Act, population_act


@dataclass(frozen=True, kw_only=True)
class Evolving(Source):
    """`search.generations` of `search.population` × `search.rollouts` episodes of at most `most_steps` steps.

    The epsilons of `exploration` are dealt out over a candidate's roll-outs.
    The senses are this source's own, so that it needs no trained V: by default a coarse grey grid.
    """

    vision: Vision
    memory: Memory
    controller: Controller
    search: Search
    exploration: Exploration
    most_steps: PositiveInt | None = None

    def origin(self, setting: Setting) -> Origin:
        """Return what its episodes are called."""
        return "evolved"

    def planned_steps(self, limit: int) -> int:
        """Return the steps of all roll-outs at full length."""
        episodes = self.search.generations * self.search.population * self.search.rollouts
        return episodes * min(limit, self.most_steps or limit)

    def batches(self, setting: Setting) -> Batches:
        """Yield a batch of P · R episodes per generation; all candidates of one meet the same R tracks."""
        first = draw_seeds("train", (setting.seed, setting.source, setting.round), 1)[0]
        strategy = self.search.begin(np.zeros(self.controller.size), first)
        world = Reality(
            batch=setting.batch,
            vision=self.vision,
            memory=self.memory,
            senses=self.controller.senses,
            sample_latent=False,
            most_steps=self.most_steps,
        )
        for generation in range(self.search.generations):
            seeds = draw_seeds("train", (setting.seed, setting.source, setting.round, generation), self.search.rollouts)
            candidates = torch.from_numpy(strategy.ask()).float()
            returns = yield EpisodeBatch(
                world=world,
                act=self._act(candidates, seeds, ACTIONS[setting.batch.spec.actions]),
                seeds=seeds * len(candidates),
                policies=[f"evolving_{generation}"] * (len(seeds) * len(candidates)),
            )
            strategy.tell(returns.reshape(len(candidates), len(seeds)).mean(1))

    def _act(self, candidates: Tensor, seeds: Sequence[int], actions: Actions) -> Act:
        """Let all candidates drive, roll-out by roll-out with the same exploration."""
        epsilons = self.exploration.dealt(len(seeds))
        chances = [np.random.default_rng((seed, 5)) for _ in candidates for seed in seeds]
        steered = population_act(self.controller, candidates)
        return self.exploration.explore(steered, epsilons * len(candidates), chances, actions)
