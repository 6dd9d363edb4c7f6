"""What M must offer: carry a state through (z, a), and predict what comes next from it.

Called by the stages (fit), by Reality (advance) and by Dream (imagine). Legend: B batch, T time, Z latent, A action,
H hidden, K mixtures.
"""

import math
from abc import ABC, abstractmethod
from typing import Protocol

import pytorch_lightning as pl
from torch import Tensor

from wmframe.memory.imagination import Imagination, StepByStep
from wmframe.memory.prediction import MemoryState, Prediction


class Sequences(Protocol):
    """A batch of recorded windows: what M learns from (`wmframe.data.windows.Window`)."""

    @property
    def mu(self) -> Tensor:
        """The means of the latents of all frames, (B, T + 1, Z)."""
        ...

    @property
    def logvar(self) -> Tensor:
        """Their log variances, (B, T + 1, Z)."""
        ...

    @property
    def actions(self) -> Tensor:
        """What was done at each frame but the last, (B, T, A) in [-1, 1]."""
        ...

    @property
    def rewards(self) -> Tensor:
        """What each step was paid, standing at the step that caused it, (B, T)."""
        ...

    @property
    def done(self) -> Tensor:
        """1 at the step that truly ended the episode, else 0, (B, T)."""
        ...

    @property
    def mask(self) -> Tensor:
        """How much a step counts, above 0 and at most 1; 0 behind an episode's end, where none was recorded; (B, T)."""
        ...

    @property
    def ahead(self) -> Tensor:
        """What the memory's `value_steps` steps after each step paid together, each within ±`reward_clip`, (B, T)."""
        ...

    @property
    def ahead_mask(self) -> Tensor:
        """`mask` where the time limit left that many steps, truly ended among them or not; 0 elsewhere, (B, T)."""
        ...


class Memory(pl.LightningModule, ABC):
    """M. Concrete classes take keyword-only arguments, which are the schema of their YAML.

    `latent_size`, `action_size`, `hidden_size` are Z, A, H. The memory stage fits it for `steps` batches of
    `batch_size` windows of `sequence` steps (`Sequences`); zero steps leave it as it was initialised.
    `dreams` is False for a memory that predicts nothing: a Dream refuses it. `value_steps` is how many steps further
    its predictions' `value` looks; 0 if they have none. `reward_clip` bounds the rewards that it learns, and those that
    the value is a sum of.
    """

    latent_size: int
    action_size: int
    hidden_size: int
    steps: int
    batch_size: int
    sequence: int
    dreams: bool = True
    value_steps: int = 0
    reward_clip: float = math.inf

    @abstractmethod
    def initial(self, batch: int) -> MemoryState:
        """Return the state before an episode's first step, for `batch` lanes."""

    @abstractmethod
    def advance(self, z: Tensor, action: Tensor, state: MemoryState) -> MemoryState:
        """Return the state after seeing z (B, Z) and doing action (B, A)."""

    @abstractmethod
    def predict(self, state: MemoryState) -> Prediction:
        """Return what follows the step that led to `state`: z', reward, done, and value where there is one."""

    def imagine(self, lanes: int, temperature: float) -> Imagination:
        """Return the loop that dreams of temperature τ run in, over `lanes` lanes; it may copy the weights as they are.

        By default it calls `advance` and `predict` by turns.
        """
        return StepByStep(self, lanes, temperature)
