"""The paper's random policy: the whole agent, V, M and C, with random parameters (authors' code, `extract.py`).

Each parameter is a Cauchy draw times a deviation that is itself drawn from [0, `spread`]. The authors draw all three
anew for every episode; here C is, and V and M for every batch of episodes, so that a batch shares one forward pass.
"""

from dataclasses import dataclass

import numpy as np
import torch
from pydantic import NonNegativeInt, PositiveFloat

from wmframe.collect.contract import LANES, Batches, EpisodeBatch, Origin, Setting, Source
from wmframe.controller.contract import Controller
from wmframe.data.seeds import draw_seeds
from wmframe.memory.contract import Memory
from wmframe.vision.contract import Vision
from wmframe.worlds.reality import Reality
from wmframe.worlds.rollout import population_act


@dataclass(frozen=True, kw_only=True)
class RandomNetworks(Source):
    """Episodes driven by an untrained V, M and C of the named kinds."""

    vision: Vision
    memory: Memory
    controller: Controller
    episodes: NonNegativeInt
    spread: PositiveFloat = 0.01
    origin: Origin = "random"

    def batches(self, setting: Setting) -> Batches:
        """Yield the episodes, `LANES` at a time."""
        seeds = draw_seeds("train", (setting.seed, "networks", setting.round), self.episodes)
        for at in range(0, self.episodes, LANES):
            part = seeds[at : at + LANES]
            rng = np.random.default_rng((part[0], 2))
            self._randomise(rng)
            world = Reality(
                batch=setting.batch,
                vision=self.vision,
                memory=self.memory,
                senses=self.controller.senses,
                sample_latent=True,
            )
            drivers = np.stack([self._cauchy(rng, self.controller.size) for _ in part])
            act = population_act(self.controller, torch.from_numpy(drivers), 1)
            yield EpisodeBatch(world=world, act=act, seeds=part, policies=["random_network"] * len(part))

    def _randomise(self, rng: np.random.Generator) -> None:
        with torch.no_grad():
            for network in (self.vision, self.memory):
                for parameter in network.parameters():
                    drawn = self._cauchy(rng, parameter.numel())
                    parameter.copy_(torch.from_numpy(drawn).view_as(parameter))

    def _cauchy(self, rng: np.random.Generator, count: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        return (rng.standard_cauchy(count) * rng.uniform(0, self.spread)).astype(np.float32)
