"""The paper's random policy: the whole agent, V, M and C, with random parameters (authors' code, `extract.py`).

Each network's parameters are Cauchy draws times a deviation that is itself drawn from [0, `spread`]; V's and M's are
divided by 10,000, for the authors' keep theirs in such units and read random ones so too. What is left of z is mostly
noise, and C is a random linear map of it. The authors draw all three anew for every episode; here C is, and V and M
for every batch of episodes, so that a batch shares one forward pass.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from pydantic import NonNegativeInt, PositiveFloat

from wmframe.collect.contract import Batches, EpisodeBatch, Origin, Setting, Source
from wmframe.controller.contract import Controller
from wmframe.memory.contract import Memory
from wmframe.vision.contract import Vision
from wmframe.worlds.reality import Reality
from wmframe.worlds.rollout import population_act

_UNIT: Final = 1e-4
"""What V's and M's parameters are counted in. Without it, logvar is in the thousands and z is infinite."""


@dataclass(frozen=True, kw_only=True)
class RandomNetworks(Source):
    """Episodes driven by an untrained V, M and C of the named kinds."""

    vision: Vision
    memory: Memory
    controller: Controller
    episodes: NonNegativeInt
    spread: PositiveFloat = 0.01

    def origin(self, setting: Setting) -> Origin:
        """Return what its episodes are called."""
        return "random"

    def planned_steps(self, limit: int) -> int:
        """Return the steps of all episodes at full length."""
        return self.episodes * limit

    def batches(self, setting: Setting) -> Batches:
        """Yield the episodes, `LANES` at a time."""
        for part in setting.turns(self.episodes):
            rng = np.random.default_rng((part[0], 2))
            self._randomise(rng)
            world = Reality(
                batch=setting.batch,
                vision=self.vision,
                memory=self.memory,
                senses=self.controller.senses,
                sample_latent=True,
            )
            drivers = np.stack([_cauchy(rng, self.controller.size, rng.uniform(0, self.spread)) for _ in part])
            act = population_act(self.controller, torch.from_numpy(drivers))
            yield EpisodeBatch(world=world, act=act, seeds=part, policies=["random_network"] * len(part))

    def _randomise(self, rng: np.random.Generator) -> None:
        with torch.no_grad():
            for network in (self.vision, self.memory):
                deviation = _UNIT * rng.uniform(0, self.spread)
                for parameter in (p for p in network.parameters() if p.requires_grad):
                    drawn = _cauchy(rng, parameter.numel(), deviation)
                    parameter.copy_(torch.from_numpy(drawn).view_as(parameter))


def _cauchy(rng: np.random.Generator, count: int, deviation: float) -> npt.NDArray[np.float32]:
    return (rng.standard_cauchy(count) * deviation).astype(np.float32)
