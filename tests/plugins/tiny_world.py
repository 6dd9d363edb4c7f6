"""A world of a user's own that is neither M's dream nor the environment: do what you see.

One file, one YAML (conf/world/tiny.yaml beside it), and no edit anywhere else.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from pydantic import PositiveInt
from torch import Tensor

from wmframe.envs.spec import EnvSpec
from wmframe.memory.contract import Memory
from wmframe.memory.rules import feature_size
from wmframe.worlds.contract import Step, World
from wmframe.worlds.inputs import WorldInputs
from wmframe.worlds.settings import WorldSettings


class Tiny(World):
    """The first feature says what to do, -0.9 to 0.9 by the seed; a step pays minus the square of what was missed."""

    def __init__(self, *, feature_size: int, action_size: int, steps: int) -> None:
        self.feature_size, self.action_size, self.lanes = feature_size, action_size, 256
        self._steps = self.time_limit = steps

    def reset(self, seeds: Sequence[int]) -> Step:
        self._features = torch.zeros(len(seeds), self.feature_size)
        self._features[:, 0] = torch.tensor([seed % 19 / 10 - 0.9 for seed in seeds])
        self._left = self._steps
        none = torch.zeros(len(seeds))
        return Step(self._features, none, none.bool())

    def step(self, actions: Tensor) -> Step:
        missed = (actions[:, 0] - self._features[:, 0]).square()
        reward = -missed if self._left > 0 else torch.zeros_like(missed)
        self._left -= 1
        return Step(self._features, reward, torch.full((len(missed),), self._left <= 0))


@dataclass(frozen=True, kw_only=True)
class TinyWorld(WorldSettings):
    """Episodes of `steps` steps; nothing of V, M or the environment is needed but how large they are."""

    steps: PositiveInt = 5
    dreamt = False

    def check(self, memory: Memory, env: EnvSpec) -> None:
        return

    @contextmanager
    def open(self, inputs: WorldInputs) -> Iterator[World]:
        memory = inputs.memory
        size = feature_size(inputs.senses, memory.latent_size, memory.hidden_size)
        yield Tiny(feature_size=size, action_size=memory.action_size, steps=self.steps)
