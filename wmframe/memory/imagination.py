"""M left to itself in many lanes: the loop inside every dream.

Start states come in, then actions and the chance that decides each step; latents, features, rewards and done logits go
out. Called by Dream, through `Memory.imagination`. Legend: B lanes, Z latent, A action, F features.
"""

from abc import ABC, abstractmethod
from typing import Protocol

import torch
from torch import Tensor

from wmframe.memory.prediction import Prediction
from wmframe.memory.rules import Senses
from wmframe.memory.state import Noise, State


class Imagination(ABC):
    """B lanes of imagined steps. What it hands out is its own memory, which the next `step` overwrites."""

    @abstractmethod
    def begin(self, state: State, lanes: Tensor | None = None) -> None:
        """Put lanes (N,), by default all, at states (N, …) whose z was observed."""

    @abstractmethod
    def step(self, actions: Tensor, noise: Noise) -> tuple[Tensor, Tensor]:
        """Take actions (B, A); return the reward and the done logit of each lane, (B,)."""

    @abstractmethod
    def value(self) -> Tensor:
        """Return what M expects the steps after the last one to pay each lane, (B,); zeros if it has no value."""

    @abstractmethod
    def features(self, senses: Senses) -> Tensor:
        """Return what C is fed where the lanes are now, (B, F), as `Memory.features` does."""


class _Memory(Protocol):
    """The part of a memory that `StepByStep` needs."""

    def initial(self, batch: int) -> State: ...

    def advance(self, state: State, action: Tensor) -> State: ...

    def imagine(self, state: State, noise: Noise, temperature: float) -> tuple[Prediction, State]: ...

    def features(self, state: State, senses: Senses) -> Tensor: ...


class StepByStep(Imagination):
    """Any memory, by `advance` and `imagine`."""

    def __init__(self, memory: _Memory, lanes: int, temperature: float) -> None:
        self._memory, self._state, self._temperature = memory, memory.initial(lanes), temperature
        self._value = torch.empty(0)

    def begin(self, state: State, lanes: Tensor | None = None) -> None:
        """See `Imagination.begin`."""
        self._state = state if lanes is None else self._state.put(lanes, state)

    def step(self, actions: Tensor, noise: Noise) -> tuple[Tensor, Tensor]:
        """See `Imagination.step`."""
        advanced = self._memory.advance(self._state, actions)
        said, self._state = self._memory.imagine(advanced, noise, self._temperature)
        self._value = torch.zeros_like(said.reward) if said.value is None else said.value
        return said.reward, said.done

    def value(self) -> Tensor:
        """See `Imagination.value`."""
        return self._value

    def features(self, senses: Senses) -> Tensor:
        """See `Imagination.features`."""
        return self._memory.features(self._state, senses)
