"""The degenerate M: nothing is carried, nothing imagined. The paper's V-only rows, and round 0 of data collection.

Features are z alone. It can live in reality; it cannot dream.
"""

from typing import Literal

import torch
from pydantic import PositiveInt
from torch import Tensor

from wmframe.engine.errors import UserError
from wmframe.memory.contract import Memory
from wmframe.memory.prediction import Prediction
from wmframe.memory.rules import Reparameterization
from wmframe.memory.state import Noise, NoiseSize, State


class NoMemory(Memory):
    """Carries z alone; h is (B, 0)."""

    imagining = NoiseSize()

    def __init__(self, *, latent_size: PositiveInt, action_size: PositiveInt, hidden_size: Literal[0] = 0) -> None:
        super().__init__()
        self.latent_size, self.action_size, self.hidden_size = latent_size, action_size, hidden_size
        self.steps, self.batch_size, self.sequence = 0, 1, 1
        self.dreams = False

    def initial(self, batch: int) -> State:
        """Return a state at zeros."""
        return State(torch.zeros(batch, self.latent_size, device=self.device).to(self.dtype))

    def advance(self, state: State, action: Tensor) -> State:
        """Return the same state: what was done is forgotten."""
        return state

    def imagine(
        self, state: State, noise: Noise, temperature: float, reparameterization: Reparameterization = "component"
    ) -> tuple[Prediction, State]:
        """Refuse: nothing is imagined."""
        raise UserError("memory=none predicts nothing, so it cannot dream. Use world=reality, or memory=mdn_rnn.")

    def hidden(self, state: State) -> Tensor:
        """Return nothing, (B, 0)."""
        return state.z[:, :0]
