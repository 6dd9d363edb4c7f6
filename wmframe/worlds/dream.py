"""The world as M remembers it: no frames at all, M proposes z', reward and done (paper, section 4).

A memory and start states come in; features, rewards and ends go out. Legend: B lanes, U distinct seeds, T horizon,
Z latent, A action, F features.
"""

from collections.abc import Sequence
from copy import copy
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from wmframe.engine.errors import UserError
from wmframe.memory.contract import Memory
from wmframe.memory.rules import Reparameterization, Senses, feature_size
from wmframe.memory.state import State
from wmframe.worlds.contract import Step, World
from wmframe.worlds.differentiable import DifferentiableDream
from wmframe.worlds.luck import Luck, draw_luck
from wmframe.worlds.rules import DoneRule
from wmframe.worlds.starts import StartStates

_LANES: Final = 2048
_PAD: Final = 64
"""M computes a multiple of this many lanes: matrix products of other sizes round their last rows otherwise, so that
what a lane dreams would depend on how many others there are."""


class Dream(World):
    """M alone, at temperature τ, for `horizon` steps from a recorded start.

    `done_rule` says when M's done counts: "sample" draws it, "threshold" takes p > 50 % (paper), "never" ignores it.
    With `bootstrap` the last step of a dream that the horizon ends is paid M's value too: what would have come after.
    All chance in a lane comes from its seed, so candidates given the same seeds meet the same luck.
    """

    def __init__(
        self,
        *,
        memory: Memory,
        starts: StartStates,
        senses: Senses,
        horizon: int,
        temperature: float,
        done_rule: DoneRule,
        bootstrap: bool = False,
    ) -> None:
        if not memory.dreams:
            raise UserError("memory=none predicts nothing, so it cannot dream. Use world=reality, or memory=mdn_rnn.")
        if bootstrap and not memory.value_steps:
            raise UserError("This memory has no value to bootstrap from.")
        self._memory, self._senses = memory.eval(), senses
        self._starts = starts.to(memory.device)
        self.horizon = self.time_limit = horizon
        self._temperature, self._rule = temperature, done_rule
        self._bootstrap = bootstrap
        self.feature_size = feature_size(senses, memory.latent_size, memory.hidden_size)
        self.action_size, self.lanes = memory.action_size, _LANES
        self._lanes = 0
        self._twins: list[Dream] = []

    def twins(self) -> Sequence[World]:
        """Return one dream for each of PyTorch's threads: they share M and the starts, and nothing else."""
        threads = torch.get_num_threads() if self._memory.device.type == "cpu" else 1
        self._twins += [self._twin() for _ in range(len(self._twins), threads - 1)]
        return (self, *self._twins[: threads - 1])

    @property
    def latent(self) -> Tensor:
        """The z (B, Z) that the lanes are at, for whoever wants to look at the dream."""
        return self._imagination.features("z")[: self._size]

    @property
    def timed_out(self) -> Tensor:
        """Which lanes (B,) the horizon ended, rather than M: a time limit is never death."""
        return (self._done & ~self._ended)[: self._size]

    def differentiable(
        self,
        *,
        reparameterization: Reparameterization = "component",
        risk_tolerance: float | None = None,
        value_weight: float = 1.0,
    ) -> DifferentiableDream:
        """Return the same dreams as a function of C's parameters that has a gradient, see there."""
        return DifferentiableDream(
            memory=self._memory,
            starts=self._starts,
            senses=self._senses,
            horizon=self.horizon,
            temperature=self._temperature,
            done_rule=self._rule,
            bootstrap=self._bootstrap,
            reparameterization=reparameterization,
            risk_tolerance=risk_tolerance,
            value_weight=value_weight,
        )

    @torch.inference_mode()
    def reset(self, seeds: Sequence[int]) -> Step:
        """Begin a dream per seed."""
        self._size = len(seeds)
        distinct = list(dict.fromkeys(seeds))
        padded = [*seeds, *([distinct[-1]] * (-len(seeds) % _PAD))]
        device = self._memory.device
        self._luck, self._clock = draw_luck(self._memory, self._starts, distinct, self.horizon), 0
        number = {seed: column for column, seed in enumerate(distinct)}
        self._column = torch.tensor([number[seed] for seed in padded], device=device)
        self._until = torch.full((len(padded),), self.horizon, device=device)
        self._done = torch.zeros(len(padded), dtype=torch.bool, device=device)
        self._ended = torch.zeros_like(self._done)
        if self._lanes != len(padded):
            self._imagination, self._lanes = self._memory.imagination(len(padded), self._temperature), len(padded)
            size = self._memory.imagining
            self._row = torch.empty(size.uniform + size.normal + 1, len(padded), device=device)
            self._noise, self._chance = size.split(self._row[:-1].mT), self._row[-1]
        self._imagination.begin(self._begun(self._luck, self._column))
        return Step(self._features(), torch.zeros(self._size, device=device), self._done[: self._size])

    @torch.inference_mode()
    def restart(self, lanes: Sequence[int], seeds: Sequence[int]) -> Tensor:
        """Begin new dreams in some lanes (at least one) while the others go on; returns all features (B, F)."""
        at = torch.tensor(lanes, device=self._memory.device)
        if self._luck.steps.shape[-1] != self._lanes:
            self._luck = self._luck.of(self._column)
            self._column = torch.arange(self._lanes, device=at.device)
        fresh = draw_luck(self._memory, self._starts, seeds, self.horizon)
        # All lanes read the row that the clock points at, so what is drawn for step 0 goes there.
        self._luck.steps[..., at] = fresh.steps.roll(self._clock % self.horizon, 0)
        self._until[at] = self._clock + self.horizon
        self._done = self._done.index_fill(0, at, False)
        self._ended = self._ended.index_fill(0, at, False)
        self._imagination.begin(self._begun(fresh, torch.arange(len(at), device=at.device)), at)
        return self._features()

    @torch.inference_mode()
    def step(self, actions: Tensor) -> Step:
        """Let M take actions (B, A) in [-1, 1]."""
        torch.index_select(self._luck.steps[self._clock % self.horizon], -1, self._column, out=self._row)
        if missing := self._lanes - self._size:
            actions = functional.pad(actions, (0, 0, 0, missing))
        reward, logit = self._imagination.step(actions.to(self._row.device), self._noise)
        reward = reward.masked_fill(self._done, 0.0)
        self._clock += 1
        before, out_of_time = self._done, self._until <= self._clock
        self._ended = self._ended | (self._ends(logit, self._chance) & ~before)
        self._done = self._ended | out_of_time
        if self._bootstrap:
            reward += self._imagination.value().where(out_of_time & ~self._ended & ~before, 0.0)
        return Step(self._features(), reward[: self._size], self._done[: self._size])

    def _twin(self) -> "Dream":
        twin = copy(self)
        twin._lanes, twin._twins = 0, []
        return twin

    def _begun(self, luck: Luck, dreams: Tensor) -> State:
        """Where dreams begin, by their numbers, each as often as it is named."""
        noise = luck.observing.rows(dreams)
        return self._starts.begun(self._memory, luck.start[dreams], luck.z[dreams], noise)

    def _ends(self, logit: Tensor, uniform: Tensor) -> Tensor:
        if self._rule == "sample":
            return uniform < logit.sigmoid()
        return logit > 0 if self._rule == "threshold" else torch.zeros_like(self._done)

    def _features(self) -> Tensor:
        return self._imagination.features(self._senses)[: self._size]
