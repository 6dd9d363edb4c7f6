"""Policies that look at nothing: Brownian motion, and random actions held for a while.

Independent uniform actions average to no steering at all, so neither source uses them. Legend: B lanes, A action.
"""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
from pydantic import NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor

from wmframe.collect.contract import Batches, EpisodeBatch, Origin, Setting, Source
from wmframe.worlds.environment import Environment
from wmframe.worlds.rollout import Act

Actions = Iterator[npt.NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True)
class _Blind(Source):
    """Episodes whose actions are a stream of chance: what `_actions` yields, under the name `policy`."""

    episodes: NonNegativeInt
    policy: ClassVar[str]

    @abstractmethod
    def _actions(self, rng: np.random.Generator, size: int) -> Actions:
        """Yield an episode's actions (A,), from its own generator."""

    def origin(self, setting: Setting) -> Origin:
        """Return what its episodes are called."""
        return "random"

    def planned_steps(self, limit: int) -> int:
        """Return the steps of all episodes at full length."""
        return self.episodes * limit

    def batches(self, setting: Setting) -> Batches:
        """Yield the episodes, `LANES` at a time."""
        for part in setting.turns(self.episodes):
            streams = [self._actions(np.random.default_rng((seed, 1)), setting.action_size) for seed in part]
            yield EpisodeBatch(
                world=Environment(setting.batch),
                act=_deal(streams),
                seeds=part,
                policies=[self.policy] * len(part),
            )


@dataclass(frozen=True, kw_only=True)
class Brownian(_Blind):
    """Each action is the last one plus normal noise of deviation `spread`, clipped to [-1, 1] (ctallec: √(1/50))."""

    spread: PositiveFloat = 0.1414
    policy = "brownian"

    def _actions(self, rng: np.random.Generator, size: int) -> Actions:
        action = np.zeros(size, np.float32)
        while True:
            action = np.clip(action + self.spread * rng.standard_normal(size, np.float32), -1, 1)
            yield action


@dataclass(frozen=True, kw_only=True)
class Held(_Blind):
    """A uniform action held for 1 … `longest` steps, then another (the paper's Take Cover data)."""

    longest: PositiveInt = 10
    policy = "held"

    def _actions(self, rng: np.random.Generator, size: int) -> Actions:
        while True:
            action = rng.uniform(-1, 1, size).astype(np.float32)
            for _ in range(rng.integers(1, self.longest + 1)):
                yield action


def _deal(streams: list[Actions]) -> Act:
    def act(features: Tensor) -> Tensor:
        return torch.from_numpy(np.stack([next(stream) for stream in streams])).to(features.device)

    return act
