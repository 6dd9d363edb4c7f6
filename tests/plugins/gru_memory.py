"""A memory of a user's own: one file, one YAML (conf/memory/gru.yaml beside it), and no edit anywhere else."""

import torch
from pydantic import NonNegativeInt, PositiveInt
from torch import Tensor, nn

from wmframe.memory.contract import Memory, Sequences
from wmframe.memory.mixture import Mixture
from wmframe.memory.prediction import MemoryState, Prediction


class GRUMemory(Memory):
    """A GRU with one Gaussian per latent dimension."""

    def __init__(
        self,
        *,
        latent_size: PositiveInt,
        action_size: PositiveInt,
        hidden_size: PositiveInt = 16,
        steps: NonNegativeInt = 20,
    ) -> None:
        super().__init__()
        self.latent_size, self.action_size, self.hidden_size = latent_size, action_size, hidden_size
        self.steps, self.batch_size, self.sequence = steps, 8, 10
        self.cell = nn.GRUCell(latent_size + action_size, hidden_size)
        self.heads = nn.Linear(hidden_size, 2 * latent_size + 2)

    def initial(self, batch: int) -> MemoryState:
        zeros = torch.zeros(batch, self.hidden_size, device=self.device)
        return MemoryState(zeros, zeros)

    def advance(self, z: Tensor, action: Tensor, state: MemoryState) -> MemoryState:
        h = self.cell(torch.cat((z, action), -1), state.h)
        return MemoryState(h, h)

    def predict(self, state: MemoryState) -> Prediction:
        said = self.heads(state.h)
        mean, log_std = said[..., : self.latent_size], said[..., self.latent_size : 2 * self.latent_size]
        mixture = Mixture.of(
            torch.zeros_like(mean)[..., None, :], mean[..., None, :], log_std[..., None, :].clamp(-5, 2)
        )
        return Prediction(mixture, said[..., -2], said[..., -1])

    def training_step(self, batch: Sequences) -> Tensor:
        state, loss = self.initial(len(batch.mu)), torch.zeros((), device=self.device)
        for t in range(batch.actions.shape[1]):
            state = self.advance(batch.mu[:, t], batch.actions[:, t], state)
            said = self.predict(state)
            nll = -said.latent.log_prob(batch.mu[:, t + 1]).mean(-1)
            error = (said.reward - batch.rewards[:, t]).square()
            loss = loss + ((nll + error) * batch.mask[:, t]).mean()
        self.log("memory/loss", loss)
        return loss

    def validation_step(self, batch: Sequences) -> None:
        self.log("memory/held_out_loss", self.training_step(batch))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=1e-3)
