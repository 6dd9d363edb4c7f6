"""A memory that guesses what it did not see: a small recurrent state-space model over V's latents (PlaNet, 2019).

What is carried is a GRU's state and a Gaussian sample. Awake, that is a sample of the posterior, which V's latent is
part of; in the dream it is one of the prior, and the latent is drawn from what the sample stands for.
"""

from dataclasses import dataclass

import torch
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt
from torch import Tensor, nn
from torch.distributions import Normal, kl_divergence
from torch.nn import functional

from wmframe.memory.contract import Memory, Sequences
from wmframe.memory.mixture import Mixture
from wmframe.memory.prediction import Prediction
from wmframe.memory.rules import Reparameterization
from wmframe.memory.state import Noise, NoiseSize, State


@dataclass(frozen=True)
class RSSMState(State):
    """The deterministic part, `carried` (B, D), and the stochastic one, `guessed` (B, S)."""

    carried: Tensor
    guessed: Tensor


class RSSM(Memory):
    """C is fed z and [carried; guessed], so H = D + S = `hidden_size`, of which S = `stochastic_size`."""

    def __init__(
        self,
        *,
        latent_size: PositiveInt,
        action_size: PositiveInt,
        hidden_size: PositiveInt = 20,
        stochastic_size: PositiveInt = 4,
        free_nats: NonNegativeFloat = 0.0,
        steps: NonNegativeInt = 20,
    ) -> None:
        super().__init__()
        self.latent_size, self.action_size, self.hidden_size = latent_size, action_size, hidden_size
        self.steps, self.batch_size, self.sequence = steps, 8, 10
        self.stochastic_size, self.free_nats = stochastic_size, free_nats
        self.imagining = NoiseSize(normal=stochastic_size + latent_size)
        self.observing = NoiseSize(normal=stochastic_size)
        carried = hidden_size - stochastic_size
        self.cell_of = nn.GRUCell(stochastic_size + action_size, carried)
        self.prior = nn.Linear(carried, 2 * stochastic_size)
        self.posterior = nn.Linear(carried + latent_size, 2 * stochastic_size)
        self.heads = nn.Linear(hidden_size, 2 * latent_size + 2)

    def initial(self, batch: int) -> RSSMState:
        zeros, size = self.heads.weight.new_zeros, self.stochastic_size
        return RSSMState(zeros(batch, self.latent_size), zeros(batch, self.hidden_size - size), zeros(batch, size))

    def observe(self, state: State, z: Tensor, noise: Noise) -> RSSMState:
        now = RSSMState.of(state)
        seen = _normal(self.posterior(torch.cat((now.carried, z), -1)))
        return RSSMState(z, now.carried, seen.mean + seen.stddev * noise.normal)

    def advance(self, state: State, action: Tensor) -> RSSMState:
        now = RSSMState.of(state)
        carried = self.cell_of(torch.cat((now.guessed, action), -1), now.carried)
        return RSSMState(now.z, carried, now.guessed)

    def imagine(
        self, state: State, noise: Noise, temperature: float, reparameterization: Reparameterization = "component"
    ) -> tuple[Prediction, RSSMState]:
        now, width = RSSMState.of(state), temperature**0.5
        guess, place = torch.split(noise.normal, [self.stochastic_size, self.latent_size], -1)
        prior = _normal(self.prior(now.carried))
        guessed = prior.mean + width * prior.stddev * guess
        said = self._said(torch.cat((now.carried, guessed), -1))
        z = said.latent.mean[:, 0] + width * said.latent.log_std[:, 0].exp() * place
        return said, RSSMState(z, now.carried, guessed)

    def hidden(self, state: State) -> Tensor:
        now = RSSMState.of(state)
        return torch.cat((now.carried, now.guessed), -1)

    def training_step(self, batch: Sequences) -> Tensor:
        batch_size, loss = len(batch.mu), torch.zeros((), device=self.device)
        state = self._seen(self.initial(batch_size), batch.mu[:, 0])
        for t in range(batch.actions.shape[1]):
            advanced = self.advance(state, batch.actions[:, t])
            state = self._seen(advanced, batch.mu[:, t + 1])
            said, now = self._said(self.hidden(state)), batch.mask[:, t]
            seen = _normal(self.posterior(torch.cat((advanced.carried, batch.mu[:, t + 1]), -1)))
            surprise = kl_divergence(seen, _normal(self.prior(advanced.carried))).sum(-1).clamp(min=self.free_nats)
            nll = -said.latent.log_prob(batch.mu[:, t + 1]).sum(-1)
            error = (said.reward - batch.rewards[:, t]).square()
            end = functional.binary_cross_entropy_with_logits(said.done, batch.done[:, t], reduction="none")
            loss = loss + ((nll + surprise + error + end) * now).mean()
        self.log("memory/loss", loss)
        return loss

    def validation_step(self, batch: Sequences) -> None:
        self.log("memory/held_out_loss", self.training_step(batch))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=1e-3)

    def _seen(self, state: State, z: Tensor) -> RSSMState:
        return self.observe(state, z, Noise(z[:, :0], torch.randn(len(z), self.stochastic_size, device=z.device)))

    def _said(self, features: Tensor) -> Prediction:
        mean, log_std, rest = torch.split(self.heads(features), [self.latent_size, self.latent_size, 2], -1)
        said = [each[..., None, :] for each in (torch.zeros_like(mean), mean, log_std.clamp(-5, 2))]
        return Prediction(Mixture.of(*said), rest[..., 0], rest[..., 1])


def _normal(said: Tensor) -> Normal:
    mean, width = said.chunk(2, -1)
    return Normal(mean, functional.softplus(width) + 0.1, validate_args=False)
