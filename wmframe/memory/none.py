"""The degenerate M: no state, no prediction. The paper's V-only rows, and round 0 of data collection.

Features are z alone. It can live in reality; it cannot dream.
"""

from typing import Literal

import torch
from pydantic import PositiveInt
from torch import Tensor

from wmframe.engine.errors import UserError
from wmframe.memory.contract import Memory
from wmframe.memory.prediction import MemoryState, Prediction


class NoMemory(Memory):
    """Carries nothing: h and c are (B, 0)."""

    def __init__(self, *, latent_size: PositiveInt, action_size: PositiveInt, hidden_size: Literal[0] = 0) -> None:
        super().__init__()
        self.latent_size, self.action_size, self.hidden_size = latent_size, action_size, hidden_size
        self.steps, self.batch_size, self.sequence = 0, 1, 1
        self.dreams = False

    def initial(self, batch: int) -> MemoryState:
        """Return an empty state."""
        empty = torch.zeros(batch, 0, device=self.device)
        return MemoryState(empty, empty)

    def advance(self, z: Tensor, action: Tensor, state: MemoryState) -> MemoryState:
        """Return the same empty state."""
        return state

    def predict(self, state: MemoryState) -> Prediction:
        """Refuse: nothing predicts."""
        raise UserError("memory=none predicts nothing, so it cannot dream. Use world=reality, or memory=mdn_rnn.")
