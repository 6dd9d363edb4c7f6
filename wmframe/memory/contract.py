"""What M must offer: carry a state through what is seen and done, and imagine what comes next.

Called by the stages (fit), by `unroll`, and by the worlds: Reality observes, Dream imagines. Legend: B lanes, T time,
Z latent, A action, H hidden, F features.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import fields
from typing import Protocol

import pytorch_lightning as pl
import torch
from torch import Tensor

from wmframe.memory.imagination import Imagination, StepByStep
from wmframe.memory.prediction import Prediction
from wmframe.memory.rules import Reparameterization, Senses
from wmframe.memory.state import Noise, NoiseSize, State


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

    A step has two halves. `advance` takes the action: all that M can compute before it knows what came of it. Then z'
    is put into the state: `observe` is told it by V, `imagine` draws it. So a dream begins wherever an episode was
    left half a step before. Both are functions: they change no state, and chance is handed in (`Noise`), so many
    numbers for a lane and a step as `imagining` and `observing` say.

    `latent_size`, `action_size` are Z, A; `hidden_size` (H) is how many features M adds to z. The memory stage fits it
    for `steps` batches of `batch_size` windows of `sequence` steps (`Sequences`); zero steps leave it as it was
    initialised. `dreams` is False for a memory that imagines nothing: a Dream refuses it. `value_steps` is how many
    steps further its predictions' `value` looks; 0 if they have none. `reward_clip` bounds the rewards that it learns,
    and those that the value is a sum of.
    """

    latent_size: int
    action_size: int
    hidden_size: int
    steps: int
    batch_size: int
    sequence: int
    imagining: NoiseSize
    observing: NoiseSize = NoiseSize()
    dreams: bool = True
    value_steps: int = 0
    reward_clip: float = math.inf

    @abstractmethod
    def initial(self, batch: int) -> State:
        """Return the state before an episode's first frame, in M's own type and on its device; z is observed next."""

    def observe(self, state: State, z: Tensor, noise: Noise) -> State:
        """Return the state after V saw z (B, Z). By default it is put where it belongs, whatever the noise."""
        return state.but(z=z)

    @abstractmethod
    def advance(self, state: State, action: Tensor) -> State:
        """Return the state after the action (B, A), before what comes of it is known; `z` is still the one before."""

    @abstractmethod
    def imagine(
        self, state: State, noise: Noise, temperature: float, reparameterization: Reparameterization = "component"
    ) -> tuple[Prediction, State]:
        """Return what follows an advanced state, and the state at z' drawn from that at temperature τ.

        `reparameterization` is how the draw's gradient is taken, see `Mixture.sample` and `Mixture.implicit_sample`; a
        memory whose draws have one gradient only takes that.
        """

    @abstractmethod
    def hidden(self, state: State) -> Tensor:
        """Return what M adds to z for C to act on, (B, H)."""

    def cell(self, state: State) -> Tensor:
        """Return what an LSTM has beside that, (B, H): by default the same again."""
        return self.hidden(state)

    def features(self, state: State, senses: Senses) -> Tensor:
        """Return what C is fed, (B, F): [z], [z; h] or [z; h; c]."""
        wanted = {"z": (), "zh": (self.hidden,), "zhc": (self.hidden, self.cell)}[senses]
        return torch.cat((state.z, *(part(state) for part in wanted)), -1)

    def pack(self, state: State) -> dict[str, Tensor]:
        """Return an advanced state as it is kept for dreams to start from: named tensors (B, …).

        By default all but z, which is drawn anew. What can be computed from less may keep less.
        """
        return {field.name: getattr(state, field.name) for field in fields(state) if field.name != "z"}

    def unpack(self, packed: Mapping[str, Tensor], batch: int) -> State:
        """Return what was packed of `batch` lanes; its z is observed next."""
        return self.initial(batch).but(**packed)

    def imagination(self, lanes: int, temperature: float) -> Imagination:
        """Return the loop that dreams of temperature τ run in, over `lanes` lanes; it may copy the weights as they are.

        By default it calls `advance` and `imagine` by turns.
        """
        return StepByStep(self, lanes, temperature)
