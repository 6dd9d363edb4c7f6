"""The world as M remembers it: no frames at all, M proposes z', reward and done (paper, section 4).

A memory and start states come in; features, rewards and ends go out. Legend: B lanes, U distinct seeds, T horizon,
Z latent, A action, F features.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import torch
from torch import Tensor

from wmframe.controller.contract import Senses, feature_size, features
from wmframe.errors import UserError
from wmframe.memory.contract import Memory, MemoryState
from wmframe.worlds.contract import Step, World
from wmframe.worlds.starts import StartStates

DoneRule = Literal["sample", "threshold", "never"]

_LANES: Final = 1024
_PAD: Final = 64
"""M computes a multiple of this many lanes: matrix products of other sizes round their last rows otherwise, so that
what a lane dreams would depend on how many others there are."""


@dataclass(frozen=True)
class _Noise:
    """All that chance decides in U dreams, drawn ahead: (U, T, Z) twice, (U, T), and where they start."""

    uniform: Tensor
    normal: Tensor
    done: Tensor
    start: Tensor
    first: Tensor


class Dream(World):
    """M alone, at temperature τ, for `horizon` steps from a recorded start.

    `done_rule` says when M's done counts: "sample" draws it, "threshold" takes p > 50 % (paper), "never" ignores it.
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
    ) -> None:
        if not memory.dreams:
            raise UserError("memory=none predicts nothing, so it cannot dream. Use world=reality, or memory=mdn_rnn.")
        self._memory, self._senses = memory.eval(), senses
        self._starts = starts.to(memory.device)
        self._horizon, self._temperature, self._rule = horizon, temperature, done_rule
        self.feature_size = feature_size(senses, memory.latent_size, memory.hidden_size)
        self.action_size, self.lanes = memory.action_size, _LANES

    @property
    def latent(self) -> Tensor:
        """The z (B, Z) that the lanes are at, for whoever wants to look at the dream."""
        return self._z[: self._size]

    @property
    def timed_out(self) -> Tensor:
        """Which lanes (B,) the horizon ended, rather than M: a time limit is never death."""
        return self._timed_out[: self._size]

    @torch.inference_mode()
    def reset(self, seeds: Sequence[int]) -> Tensor:
        """Begin a dream per seed and return the first features (B, F)."""
        self._size = len(seeds)
        distinct = list(dict.fromkeys(seeds))
        padded = [*seeds, *([distinct[-1]] * (-len(seeds) % _PAD))]
        device = self._memory.device
        self._noise = self._draw(distinct)
        self._row = torch.tensor([distinct.index(seed) for seed in padded], device=device)
        self._t = torch.zeros(len(padded), dtype=torch.long, device=device)
        self._done = torch.zeros(len(padded), dtype=torch.bool, device=device)
        self._timed_out = torch.zeros_like(self._done)
        start = self._noise.start[self._row]
        self._z = self._noise.first[self._row]
        self._state = MemoryState(self._starts.h[start], self._starts.c[start])
        return self._features()

    @torch.inference_mode()
    def restart(self, lanes: Sequence[int], seeds: Sequence[int]) -> Tensor:
        """Begin new dreams in some lanes (at least one) while the others go on; returns all features (B, F).

        What earlier steps returned stays as it was.
        """
        device = self._memory.device
        fresh, at = self._draw(seeds), torch.tensor(lanes, device=device)
        if len(self._noise.start) != len(self._row):
            self._noise = _Noise(*(getattr(self._noise, name)[self._row] for name in _Noise.__annotations__))
            self._row = torch.arange(len(self._row), device=device)
        for name in _Noise.__annotations__:
            getattr(self._noise, name)[self._row[at]] = getattr(fresh, name)
        self._t[at] = 0
        self._done = self._done.index_fill(0, at, False)
        self._timed_out = self._timed_out.index_fill(0, at, False)
        self._z = self._z.index_copy(0, at, fresh.first)
        h, c = self._starts.h[fresh.start], self._starts.c[fresh.start]
        self._state = MemoryState(self._state.h.index_copy(0, at, h), self._state.c.index_copy(0, at, c))
        return self._features()

    @torch.inference_mode()
    def step(self, actions: Tensor) -> Step:
        """Let M take actions (B, A) in [-1, 1]."""
        at = (self._row, self._t.clamp(max=self._horizon - 1))
        actions = actions.to(self._z.device)
        padded = torch.cat((actions, actions.new_zeros(len(self._z) - self._size, self.action_size)))
        self._state = self._memory.advance(self._z, padded, self._state)
        said = self._memory.predict(self._state)
        self._z = said.latent.sample(self._noise.uniform[at], self._noise.normal[at], self._temperature)
        reward = torch.where(self._done, 0.0, said.reward)
        self._t = self._t + ~self._done
        ended, late = self._ends(said.done, self._noise.done[at]), self._t >= self._horizon
        self._timed_out = self._timed_out | (late & ~ended & ~self._done)
        self._done = self._done | ended | late
        return Step(self._features(), reward[: self._size], self._done[: self._size])

    def _ends(self, logit: Tensor, uniform: Tensor) -> Tensor:
        if self._rule == "sample":
            return uniform < logit.sigmoid()
        return logit > 0 if self._rule == "threshold" else torch.zeros_like(self._done)

    def _features(self) -> Tensor:
        return features(self._senses, self._z, self._state.h, self._state.c)[: self._size]

    def _draw(self, seeds: Sequence[int]) -> _Noise:
        drawn = [self._draw_one(torch.Generator().manual_seed(seed)) for seed in seeds]
        uniform, normal, done, start, first = (torch.stack(part) for part in zip(*drawn, strict=True))
        device = self._memory.device
        at = start.to(device)
        mu, logvar = self._starts.mu[at], self._starts.logvar[at]
        z = mu + (logvar / 2).exp() * first.to(device)
        return _Noise(uniform.to(device), normal.to(device), done.to(device), at, z)

    def _draw_one(self, chance: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        horizon, size = self._horizon, self._memory.latent_size
        start = torch.randint(len(self._starts.mu), (), generator=chance)
        first = torch.randn(size, generator=chance)
        return (
            torch.rand(horizon, size, generator=chance),
            torch.randn(horizon, size, generator=chance),
            torch.rand(horizon, generator=chance),
            start,
            first,
        )
