"""A memory of a user's own: one file, one YAML (conf/memory/gru.yaml beside it), and no edit anywhere else."""

from dataclasses import dataclass

import torch
from pydantic import NonNegativeInt, PositiveInt
from torch import Tensor, nn

from wmframe.memory.contract import Memory, Sequences
from wmframe.memory.mixture import Mixture
from wmframe.memory.prediction import Prediction
from wmframe.memory.rules import Reparameterization
from wmframe.memory.state import Noise, NoiseSize, State


@dataclass(frozen=True)
class GRUState(State):
    """A GRU's hidden state h (B, H)."""

    h: Tensor


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
        self.imagining = NoiseSize(uniform=latent_size, normal=latent_size)
        self.cell_of = nn.GRUCell(latent_size + action_size, hidden_size)
        self.heads = nn.Linear(hidden_size, 2 * latent_size + 2)

    def initial(self, batch: int) -> GRUState:
        zeros = self.heads.weight.new_zeros
        return GRUState(zeros(batch, self.latent_size), zeros(batch, self.hidden_size))

    def advance(self, state: State, action: Tensor) -> GRUState:
        h = self.cell_of(torch.cat((state.z, action), -1), GRUState.of(state).h)
        return GRUState(state.z, h)

    def imagine(
        self, state: State, noise: Noise, temperature: float, reparameterization: Reparameterization = "component"
    ) -> tuple[Prediction, State]:
        said = self._said(GRUState.of(state).h)
        return said, state.but(z=said.latent.sample(noise.uniform, noise.normal, temperature))

    def hidden(self, state: State) -> Tensor:
        return GRUState.of(state).h

    def training_step(self, batch: Sequences) -> Tensor:
        state, loss = self.initial(len(batch.mu)), torch.zeros((), device=self.device)
        for t in range(batch.actions.shape[1]):
            state = self.advance(state.but(z=batch.mu[:, t]), batch.actions[:, t])
            said = self._said(state.h)
            nll = -said.latent.log_prob(batch.mu[:, t + 1]).mean(-1)
            error = (said.reward - batch.rewards[:, t]).square()
            end = nn.functional.binary_cross_entropy_with_logits(said.done, batch.done[:, t], reduction="none")
            loss = loss + ((end + nll + error) * batch.mask[:, t]).mean()
        self.log("memory/loss", loss)
        return loss

    def validation_step(self, batch: Sequences) -> None:
        self.log("memory/held_out_loss", self.training_step(batch))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=1e-3)

    def _said(self, h: Tensor) -> Prediction:
        mean, log_std, rest = torch.split(self.heads(h), [self.latent_size, self.latent_size, 2], -1)
        said = [each[..., None, :] for each in (torch.zeros_like(mean), mean, log_std.clamp(-5, 2))]
        return Prediction(Mixture.of(*said), rest[..., 0], rest[..., 1])
