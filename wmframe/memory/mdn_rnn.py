"""The paper's MDN-RNN: an LSTM, K Gaussians per latent dimension, and heads for reward, done and value.

Windows of latents and actions come in (`Sequences`); a state and a `Prediction` go out. Fitted by the memory stage.
Legend: B batch, T time, Z latent, A action, H hidden, K mixtures.
"""

import math
from typing import Annotated

import torch
from annotated_types import Ge, Gt, Le, Lt
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.nn import functional

from wmframe.memory.contract import Memory, Sequences
from wmframe.memory.imagination import Imagination
from wmframe.memory.lstm_imagination import LSTMImagination, LSTMState, LSTMWeights
from wmframe.memory.mixture import Mixture
from wmframe.memory.prediction import Prediction
from wmframe.memory.rules import Reparameterization
from wmframe.memory.state import Noise, NoiseSize, State


class MDNRNN(Memory):
    """422,368 parameters at Z 32, A 3, H 256, K 5, before the two heads (paper, appendix A.2).

    PyTorch's LSTM carries a second bias that adds to the first; it is pinned to zero. The loss is the mean NLL per
    latent dimension + `reward_weight` · squared error of the scaled reward + `done_weight` · logistic loss in which a
    true end counts `done_positive` times (10 in the authors' Doom code). That makes ends look likelier than they are;
    `calibrate_done` takes it back where M predicts, so that a sampled end comes as often as a real one. Zero weights
    switch a head off: it then predicts reward 0, or no end. Rewards are clipped to ±`reward_clip`, then divided by
    `reward_scale`. Gradients are clipped to norm `gradient_clip`. `shuffle_rewards` deals each batch's rewards out at
    random: the control that shows what a learned reward is worth.

    With `value_steps` N there is a value too: the mean of what the N steps after the next one paid whoever was driving,
    each clipped as inside a dream, learned by `value_weight` · squared error in units of `reward_scale` · √N. A dream
    may be paid it at its horizon.
    """

    def __init__(
        self,
        *,
        latent_size: PositiveInt,
        action_size: PositiveInt,
        hidden_size: PositiveInt = 256,
        mixtures: PositiveInt = 5,
        dropout: Annotated[float, Ge(0), Lt(1)] = 0.0,
        reward_weight: NonNegativeFloat = 1.0,
        reward_scale: PositiveFloat = 1.0,
        reward_clip: PositiveFloat = 1e6,
        shuffle_rewards: bool = False,
        value_steps: NonNegativeInt = 0,
        value_weight: NonNegativeFloat = 1.0,
        done_weight: NonNegativeFloat = 1.0,
        done_positive: PositiveFloat = 10.0,
        calibrate_done: bool = True,
        learning_rate: PositiveFloat = 1e-3,
        final_learning_rate: Annotated[float, Gt(0), Le(1)] = 1.0,
        gradient_clip: PositiveFloat = 1.0,
        batch_size: PositiveInt = 100,
        sequence: PositiveInt = 500,
        steps: NonNegativeInt = 4000,
    ) -> None:
        super().__init__()
        self.latent_size, self.action_size, self.hidden_size = latent_size, action_size, hidden_size
        self.mixtures, self.steps, self.batch_size, self.sequence = mixtures, steps, batch_size, sequence
        self.reward_weight, self.reward_scale, self.reward_clip = reward_weight, reward_scale, reward_clip
        self.shuffle_rewards = shuffle_rewards
        self.value_steps, self.value_weight = value_steps, value_weight
        self.value_scale = reward_scale * math.sqrt(value_steps)
        self.done_weight, self.done_positive = done_weight, done_positive
        self.done_shift = math.log(done_positive) if calibrate_done else 0.0
        self.learning_rate, self.final_learning_rate = learning_rate, final_learning_rate
        self.gradient_clip = gradient_clip
        self.imagining = NoiseSize(uniform=latent_size, normal=latent_size)
        self.lstm = nn.LSTM(latent_size + action_size, hidden_size, batch_first=True)
        self._settle_biases()
        self.dropout = nn.Dropout(dropout)
        self.mixture = nn.Linear(hidden_size, 3 * mixtures * latent_size)
        self.reward = nn.Linear(hidden_size, 1)
        self.done = nn.Linear(hidden_size, 1)
        self.value = nn.Linear(hidden_size, 1) if value_steps else None

    def initial(self, batch: int) -> LSTMState:
        """Return zeros, as the paper does."""
        z, h = (self.mixture.weight.new_zeros(batch, size) for size in (self.latent_size, self.hidden_size))
        return LSTMState(z, h, h)

    def advance(self, state: State, action: Tensor) -> LSTMState:
        """Return the LSTM's state after z (B, Z) and action (B, A)."""
        now = LSTMState.of(state)
        h, c = torch.lstm_cell(torch.cat((now.z, action), -1), (now.h, now.c), *self.lstm.all_weights[0])
        return LSTMState(now.z, h, c)

    def imagine(
        self, state: State, noise: Noise, temperature: float, reparameterization: Reparameterization = "component"
    ) -> tuple[Prediction, LSTMState]:
        """Return the mixture over z', the reward, the done logit and the value that follow, and z' in its place."""
        now = LSTMState.of(state)
        said = self._heads(now.h)
        draw = {"component": said.latent.sample, "implicit": said.latent.implicit_sample}[reparameterization]
        return said, now.but(z=draw(noise.uniform, noise.normal, temperature))

    def hidden(self, state: State) -> Tensor:
        """Return h (B, H)."""
        return LSTMState.of(state).h

    def cell(self, state: State) -> Tensor:
        """Return c (B, H)."""
        return LSTMState.of(state).c

    def imagination(self, lanes: int, temperature: float) -> Imagination:
        """Return the same steps as `advance` and `imagine`, to rounding, in place."""
        from_input, from_hidden, bias, _ = (weight.detach() for weight in self.lstm.all_weights[0])
        from_latent, from_action = torch.split(from_input, [self.latent_size, self.action_size], 1)
        heads = [head for head in (self.mixture, self.reward, self.done, self.value) if head is not None]
        rows = torch.cat([torch.cat((head.weight, head.bias[:, None]), 1) for head in heads]).detach()
        if self.value is None:
            rows = functional.pad(rows, (0, 0, 0, 1))
        rows[: self.mixtures * self.latent_size] /= temperature
        rows[-3] *= self.reward_scale if self.reward_weight > 0 else 0.0
        rows[-2, -1] -= self.done_shift if self.done_weight > 0 else math.inf
        rows[-1] *= self.value_scale
        gates = _by_function(torch.cat((from_action, from_latent, from_hidden, bias[:, None]), 1))
        gates[: 3 * self.hidden_size].neg_()
        weights = LSTMWeights(gates=gates, heads=rows, mixtures=self.mixtures, temperature=temperature)
        return LSTMImagination(weights, lanes)

    def loss(self, batch: Sequences) -> dict[str, Tensor]:
        """Return a batch's named terms: nll per latent dimension, scaled reward error, done, value, and the total."""
        z = batch.mu + (batch.logvar / 2).exp() * torch.randn_like(batch.mu)
        hidden, _ = self.lstm(torch.cat((z[:, :-1], batch.actions), -1))
        said = self._heads(self.dropout(hidden))
        rewards = batch.rewards.clamp(-self.reward_clip, self.reward_clip)
        ahead = batch.ahead
        if self.shuffle_rewards:
            rewards, ahead = _dealt_out(rewards, batch.mask > 0), _dealt_out(ahead, batch.ahead_mask > 0)
        weights = 1 + (self.done_positive - 1) * batch.done
        nll = _mean(-said.latent.log_prob(z[:, 1:]).mean(-1), batch.mask)
        reward = _mean(((said.reward - rewards) / self.reward_scale).square(), batch.mask)
        # A head that is off says -inf, of which even 0 times the loss is NaN.
        logits = said.done + self.done_shift if self.done_weight > 0 else torch.zeros_like(said.done)
        surprise = functional.binary_cross_entropy_with_logits(logits, batch.done, weights, reduction="none")
        done = _mean(surprise, batch.mask)
        total = nll + self.reward_weight * reward + self.done_weight * done
        terms = {"nll": nll, "reward_error": reward, "done_loss": done}
        if said.value is not None:
            value = _mean(((said.value - ahead) / self.value_scale).square(), batch.ahead_mask)
            total, terms["value_error"] = total + self.value_weight * value, value
        return {**terms, "loss": total}

    def training_step(self, batch: Sequences) -> Tensor:
        """One step on windows of recorded episodes."""
        terms = self.loss(batch)
        self.log_dict({f"memory/{name}": value for name, value in terms.items()})
        return terms["loss"]

    def validation_step(self, batch: Sequences) -> None:
        """The same terms on held-out episodes."""
        terms = self.loss(batch)
        self.log_dict({f"memory/held_out_{name}": value for name, value in terms.items()})

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Adam, its learning rate falling linearly over `steps`."""
        adam = torch.optim.Adam((p for p in self.parameters() if p.requires_grad), lr=self.learning_rate, fused=True)
        falling = torch.optim.lr_scheduler.LinearLR(adam, 1.0, self.final_learning_rate, max(self.steps, 1))
        return {"optimizer": adam, "lr_scheduler": {"scheduler": falling, "interval": "step"}}

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Clip the gradients' norm."""
        nn.utils.clip_grad_norm_(self.parameters(), self.gradient_clip)

    def _settle_biases(self) -> None:
        """Pin the redundant bias to zero, and let the forget gate begin open, at 1, as the authors do."""
        _, _, first, second = self.lstm.all_weights[0]
        nn.init.ones_(first.data[self.hidden_size : 2 * self.hidden_size])
        nn.init.zeros_(second).requires_grad_(False)

    def _heads(self, hidden: Tensor) -> Prediction:
        mixture = self.mixture(hidden).view(*hidden.shape[:-1], 3, self.mixtures, self.latent_size)
        reward, done = self.reward(hidden)[..., 0], self.done(hidden)[..., 0]
        return Prediction(
            Mixture(mixture),
            reward * self.reward_scale if self.reward_weight > 0 else torch.zeros_like(reward),
            done - self.done_shift if self.done_weight > 0 else torch.full_like(done, -torch.inf),
            None if self.value is None else self.value(hidden)[..., 0] * self.value_scale,
        )


def _by_function(rows: Tensor) -> Tensor:
    """PyTorch's gates (4 H, ...) input, forget, cell, output in the order input, forget, output, cell."""
    into, keep, new, out = rows.chunk(4)
    return torch.cat((into, keep, out, new))


def _dealt_out(rewards: Tensor, recorded: Tensor) -> Tensor:
    """The recorded steps' rewards (B, T) in random order; the padding keeps its zeros."""
    dealt, real = rewards.clone(), rewards[recorded]
    dealt[recorded] = real[torch.randperm(len(real), device=real.device)]
    return dealt


def _mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of values (B, T), each counting as `mask` says; 0 if none does."""
    return (values * mask).sum() / mask.sum().clamp(min=1e-3)
