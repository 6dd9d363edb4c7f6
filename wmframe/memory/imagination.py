"""M left to itself in many lanes: the loop inside every dream.

Start states come in, then actions and the chance that decides each step; latents, states, rewards and done logits go
out. Called by Dream, through `Memory.imagine`. Legend: B lanes, Z latent, A action, H hidden.
"""

from abc import ABC, abstractmethod
from typing import Protocol

import torch
from torch import Tensor

from wmframe.memory.prediction import MemoryState, Prediction


class Imagination(ABC):
    """B lanes of imagined steps. What it hands out is its own memory, which the next `step` overwrites."""

    @abstractmethod
    def begin(self, z: Tensor, state: MemoryState, lanes: Tensor | None = None) -> None:
        """Put lanes (N,), by default all, at z (N, Z) with M's state from before it."""

    @abstractmethod
    def step(self, actions: Tensor, uniform: Tensor, normal: Tensor) -> tuple[Tensor, Tensor]:
        """Take actions (B, A); return the reward and the done logit of each lane, (B,).

        `uniform` and `normal` (B, Z) decide z' as in `Mixture.sample`.
        """

    @abstractmethod
    def value(self) -> Tensor:
        """Return what M expects the steps after the last one to pay each lane, (B,); zeros if it has no value."""

    @abstractmethod
    def now(self, size: int) -> Tensor:
        """Return the first `size` columns of [z; h; c] (B, Z + 2 H): the z the lanes are at, M's state before it."""


class _Steps(Protocol):
    """The part of a memory that `StepByStep` needs."""

    def advance(self, z: Tensor, action: Tensor, state: MemoryState) -> MemoryState: ...

    def predict(self, state: MemoryState) -> Prediction: ...

    def initial(self, batch: int) -> MemoryState: ...


class StepByStep(Imagination):
    """Any memory, by `advance` and `predict`."""

    def __init__(self, memory: _Steps, lanes: int, temperature: float) -> None:
        self._memory, self._state, self._temperature = memory, memory.initial(lanes), temperature
        self._z = self._value = torch.empty(0)

    def begin(self, z: Tensor, state: MemoryState, lanes: Tensor | None = None) -> None:
        """See `Imagination.begin`."""
        if lanes is None:
            self._z, self._state = z, state
            return
        self._z = self._z.index_copy(0, lanes, z)
        h, c = self._state.h.index_copy(0, lanes, state.h), self._state.c.index_copy(0, lanes, state.c)
        self._state = MemoryState(h, c)

    def step(self, actions: Tensor, uniform: Tensor, normal: Tensor) -> tuple[Tensor, Tensor]:
        """See `Imagination.step`."""
        self._state = self._memory.advance(self._z, actions, self._state)
        said = self._memory.predict(self._state)
        self._z = said.latent.sample(uniform, normal, self._temperature)
        self._value = torch.zeros_like(said.reward) if said.value is None else said.value
        return said.reward, said.done

    def value(self) -> Tensor:
        """See `Imagination.value`."""
        return self._value

    def now(self, size: int) -> Tensor:
        """See `Imagination.now`."""
        return torch.cat((self._z, self._state.h, self._state.c), -1)[:, :size]
