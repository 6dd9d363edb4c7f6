"""The environment as it is, with nobody to look at it: what Reality is made of, and where policies act blindly.

Seeds and actions come in; rewards, ends and what was shown go out, as a `BatchStep`. Called by Reality and by sources
of episodes. Legend: B lanes, A action.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor

from wmframe.envs.actions import ACTIONS
from wmframe.envs.batch import BatchStep, EnvBatch
from wmframe.worlds.contract import Step, World

_LANES: Final = 64


class Environment(World):
    """Real episodes whose features are none, (B, 0). `most_steps` ends them all early, which is no true end."""

    feature_size = 0

    def __init__(self, batch: EnvBatch, *, most_steps: int | None = None) -> None:
        self._batch, self._most_steps = batch, most_steps
        self.action_size, self.lanes = batch.spec.action_size, _LANES
        self._actions = ACTIONS[batch.spec.actions]
        limit = batch.spec.most_steps
        self.time_limit = limit if most_steps is None else min(limit, most_steps)

    def reset(self, seeds: Sequence[int]) -> Step:
        """Begin an episode per seed."""
        lanes = len(seeds)
        frames, off = self._batch.reset(seeds), np.zeros(lanes, np.bool_)
        observed = BatchStep(frames=frames, rewards=np.zeros(lanes, np.float32), terminated=off, truncated=off)
        self._steps, self._done = 0, torch.zeros(lanes, dtype=torch.bool)
        return Step(torch.empty(lanes, 0), torch.zeros(lanes), self._done, observed)

    def step(self, actions: Tensor) -> Step:
        """Take actions (B, A), or what is nearest to them of what the environment can be told."""
        acted = self._actions.nearest(actions.float())
        observed, before = self._batch.step(acted.cpu().numpy()), self._done
        self._steps += 1
        over = torch.from_numpy(observed.over)
        self._done = over if self._most_steps is None else over | (self._steps >= self._most_steps)
        reward = torch.from_numpy(observed.rewards).masked_fill(before, 0.0)
        return Step(torch.empty(len(over), 0), reward, self._done, observed, acted)
