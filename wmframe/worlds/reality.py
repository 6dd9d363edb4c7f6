"""The environment seen through V, with M only carrying its state (paper, section 2.4).

Frames come from an `EnvBatch`; features, rewards and ends go out. V and M work in tiles of fixed size, so that what a
lane computes does not depend on how many others there are. Legend: B lanes, Z latent, A action, F features.
"""

from collections.abc import Sequence
from copy import copy
from typing import Final

import numpy as np
import torch
from torch import Tensor

from wmframe.envs.batch import BatchStep, EnvBatch
from wmframe.memory.contract import Memory
from wmframe.memory.rules import Senses, feature_size
from wmframe.memory.state import Noise
from wmframe.vision.contract import Vision
from wmframe.worlds.contract import Step, World
from wmframe.worlds.tiles import by_tiles

_LANES: Final = 64
"""Of a world alone. Twins take half as many, so that they share what a single candidate plays, too."""


class Reality(World):
    """Real episodes. z is drawn from V's distribution with `sample_latent` (as the paper does), or is its mean.

    `most_steps` ends all episodes early, which is no true end. `observed` holds what the environments last showed, for
    whoever records or films. Each batch of `others` makes a twin, for a thread of its own: while one waits for the
    process of its environments, V sees for another.
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
        self._batch, self._vision, self._memory = batch, vision.eval(), memory.eval()
        self._senses, self._sample = senses, sample_latent
        self._most_steps = most_steps
        self.feature_size = feature_size(senses, vision.latent_size, memory.hidden_size)
        self.action_size, self.lanes = memory.action_size, _LANES // 2 if others else _LANES
        self._twins = [self._twin(other) for other in others]

    def twins(self) -> Sequence[World]:
        """Return one world for each batch of environments: they share V and M, and nothing else."""
        return (self, *self._twins)

    @property
    def time_limit(self) -> int:
        """The most steps that an episode can last."""
        limit = self._batch.spec.most_steps
        return limit if self._most_steps is None else min(limit, self._most_steps)

    @torch.inference_mode()
    def reset(self, seeds: Sequence[int]) -> Tensor:
        """Begin an episode per seed and return the first features (B, F)."""
        self._chance = [torch.Generator().manual_seed(seed) for seed in seeds]
        lanes = len(seeds)
        frames = self._batch.reset(seeds)
        off = np.zeros(lanes, np.bool_)
        self.observed = BatchStep(frames=frames, rewards=np.zeros(lanes, np.float32), terminated=off, truncated=off)
        self._state = self._memory.initial(lanes)
        self._steps = 0
        self._done = torch.zeros(lanes, dtype=torch.bool, device=self._vision.device)
        return self._look()

    @torch.inference_mode()
    def step(self, actions: Tensor) -> Step:
        """Take actions (B, A) in [-1, 1] in the environment."""
        actions = actions.float()
        self.observed = self._batch.step(actions.cpu().numpy())
        self._advance(actions.to(self._memory.dtype))
        self._steps += 1
        reward = torch.where(self._done, 0.0, torch.from_numpy(self.observed.rewards).to(self._done.device))
        over = torch.from_numpy(self.observed.over).to(self._done.device)
        self._done = over if self._most_steps is None else over | (self._steps >= self._most_steps)
        return Step(self._look(), reward, self._done)

    def _twin(self, batch: EnvBatch) -> "Reality":
        twin = copy(self)
        twin._batch, twin._twins = batch, []
        return twin

    def _look(self) -> Tensor:
        frames = torch.from_numpy(self.observed.frames).to(self._vision.device)
        mu, logvar = by_tiles(lambda part: _both(self._vision, part[0]), (frames,))
        z = mu
        if self._sample:
            size, dtype = mu.shape[-1], mu.dtype
            noise = torch.stack([torch.randn(size, generator=chance, dtype=dtype) for chance in self._chance])
            z = mu + (logvar / 2).exp() * noise.to(mu.device)
        self._observe(z.to(self._memory.dtype))
        return self._memory.features(self._state, self._senses)

    def _observe(self, z: Tensor) -> None:
        size = self._memory.observing
        noise = size.split(torch.cat([size.draw(chance, 1, z.dtype) for chance in self._chance]).to(z.device))

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
