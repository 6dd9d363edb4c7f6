"""A source of episodes of a user's own: every corner of the actions in turn, each held for a whole episode.

One file, one YAML (conf/collect/sweeping.yaml beside it), and no edit anywhere else.
"""

from dataclasses import dataclass

import torch
from pydantic import PositiveInt
from torch import Tensor

from wmframe.collect.contract import Batches, EpisodeBatch, Origin, Setting, Source
from wmframe.worlds.environment import Environment
from wmframe.worlds.rollout import Act


@dataclass(frozen=True, kw_only=True)
class Sweeping(Source):
    """Episode n acts by the signs that n has in binary digits, on environment seeds of its own."""

    episodes: PositiveInt

    def origin(self, setting: Setting) -> Origin:
        return "random"

    def planned_steps(self, limit: int) -> int:
        return self.episodes * limit

    def batches(self, setting: Setting) -> Batches:
        done = 0
        for part in setting.turns(self.episodes):
            digits = [[n >> place & 1 for place in range(setting.action_size)] for n in range(done, done + len(part))]
            yield EpisodeBatch(
                world=Environment(setting.batch),
                act=_always(1.0 - 2.0 * torch.tensor(digits)),
                seeds=part,
                policies=["sweeping"] * len(part),
            )
            done += len(part)


def _always(actions: Tensor) -> Act:
    return lambda _: actions
