"""The environment seen through V, with M only carrying its state (paper, section 2.4).

Frames come from an `Environment`; features, rewards and ends go out. V and M work in tiles of fixed size, so that what
a lane computes does not depend on how many others there are. Legend: B lanes, Z latent, A action, F features.
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wmframe.envs.batch import EnvBatch
from wmframe.memory.contract import Memory
from wmframe.memory.rules import Senses, feature_size
from wmframe.memory.state import Noise
from wmframe.vision.contract import Vision
from wmframe.worlds.contract import Step, World
from wmframe.worlds.environment import Environment
from wmframe.worlds.tiles import by_tiles


class Reality(World):
    """Real episodes. z is drawn from V's distribution with `sample_latent` (as the paper does), or is its mean.

    `most_steps` ends all episodes early, which is no true end. Each batch of `others` makes a twin, for a thread of its
    own: while one waits for the process of its environments, V sees for another. Twins take half as many lanes, so that
    they share what a single candidate plays, too.
    """

    def __init__(
        self,
        *,
        batch: EnvBatch,
        vision: Vision,
        memory: Memory,
        senses: Senses,
        sample_latent: bool,
        most_steps: int | None = None,
        others: Sequence[EnvBatch] = (),
    ) -> None:
        self._environment = Environment(batch, most_steps=most_steps)
        self._vision, self._memory = vision.eval(), memory.eval()
        self._senses, self._sample = senses, sample_latent
        self.feature_size = feature_size(senses, vision.latent_size, memory.hidden_size)
        self.action_size, self.time_limit = memory.action_size, self._environment.time_limit
        self.lanes = self._environment.lanes // 2 if others else self._environment.lanes
        self._twins = [self._twin(Environment(other, most_steps=most_steps)) for other in others]

    def twins(self) -> Sequence[World]:
        """Return one world for each batch of environments: they share V and M, and nothing else."""
        return (self, *self._twins)

    @torch.inference_mode()
    def reset(self, seeds: Sequence[int]) -> Step:
        """Begin an episode per seed."""
        self._chance = [torch.Generator().manual_seed(seed) for seed in seeds]
        self._state = self._memory.initial(len(seeds))
        return self._seen(self._environment.reset(seeds))

    @torch.inference_mode()
    def step(self, actions: Tensor) -> Step:
        """Take actions (B, A) in [-1, 1] in the environment, and let M know of what it was told."""
        step = self._environment.step(actions)
        acted = actions if step.acted is None else step.acted
        self._advance(acted.to(self._memory.dtype))
        return self._seen(step)

    def _twin(self, environment: Environment) -> "Reality":
        twin = copy(self)
        twin._environment, twin._twins = environment, []
        return twin

    def _seen(self, step: Step) -> Step:
        """The same step as C is told of it."""
        device, features = self._vision.device, self._look(step.shown().frames)
        return replace(step, features=features, reward=step.reward.to(device), done=step.done.to(device))

    def _look(self, seen: NDArray[np.uint8]) -> Tensor:
        frames = torch.from_numpy(seen).to(self._vision.device)
        mu, logvar = by_tiles(lambda part: _both(self._vision, part[0]), (frames,))
        z = mu
        if self._sample:
            size, dtype = mu.shape[-1], mu.dtype
            noise = torch.stack([torch.randn(size, generator=chance, dtype=dtype) for chance in self._chance])
            z = mu + (logvar / 2).exp() * noise.to(mu.device)
        self._observe(z.to(self._memory.dtype))
        return self._memory.features(self._state, self._senses)

    def _observe(self, z: Tensor) -> None:
        noise = self._memory.observing.of_lanes(self._chance, z)

        def observe(part: Sequence[Tensor]) -> tuple[Tensor, ...]:
            z, uniform, normal, *state = part
            return self._memory.observe(self._state.with_tensors(state), z, Noise(uniform, normal)).tensors

        self._state = self._state.with_tensors(
            by_tiles(observe, (z, noise.uniform, noise.normal, *self._state.tensors))
        )

    def _advance(self, actions: Tensor) -> None:
        def advance(part: Sequence[Tensor]) -> tuple[Tensor, ...]:
            action, *state = part
            return self._memory.advance(self._state.with_tensors(state), action).tensors

        self._state = self._state.with_tensors(by_tiles(advance, (actions, *self._state.tensors)))


def _both(vision: Vision, frames: Tensor) -> tuple[Tensor, Tensor]:
    latent = vision.encode(frames)
    return latent.mu, latent.logvar
