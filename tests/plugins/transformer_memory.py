"""A memory that looks back instead of carrying on: a small causal Transformer with a ring of keys and values."""

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
class WindowState(State):
    """What the last step came to, `h` (B, H), how many there were, `position` (B,), and what to look back at.

    `keys`, `values` (B, L, C, H): a ring of C steps for each of L layers; step t stands at t modulo C.
    """

    h: Tensor
    position: Tensor
    keys: Tensor
    values: Tensor


class _Layer(nn.Module):
    """Attention to the last C steps, each weighed by how long ago it was, too; then a step of two layers."""

    def __init__(self, width: int, context: int) -> None:
        super().__init__()
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.asked, self.answered = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.by_age = nn.Parameter(torch.zeros(context))
        self.after = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def ask(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return what steps (..., H) look for, and what others find there by which key, (..., H) each."""
        query, key, value = self.asked(self.before(x)).chunk(3, -1)
        return query, key, value

    def answer(self, x: Tensor, query: Tensor, keys: Tensor, values: Tensor, age: Tensor) -> Tensor:
        """Return steps x (B, Q, H) after looking at keys and values (B, T, H), `age` (B, Q, T) steps old, below C."""
        context = len(self.by_age)
        seen = (age >= 0) & (age < context)
        # A batched matrix product may round a lane by where it stands among the others; a sum does not.
        scores = (query[:, :, None] * keys[:, None]).sum(-1) / query.shape[-1] ** 0.5
        weights = (scores + self.by_age[age.clamp(0, context - 1)]).masked_fill(~seen, -torch.inf).softmax(-1)
        x = x + self.answered((weights[..., None] * values[:, None]).sum(-2))
        result: Tensor = x + self.after(self.between(x))
        return result


class TransformerMemory(Memory):
    """Steps (z, a) as tokens, `layers` of attention to the last `context` of them, K Gaussians per latent dimension."""

    def __init__(
        self,
        *,
        latent_size: PositiveInt,
        action_size: PositiveInt,
        hidden_size: PositiveInt = 16,
        layers: PositiveInt = 2,
        context: PositiveInt = 6,
        mixtures: PositiveInt = 3,
        steps: NonNegativeInt = 20,
    ) -> None:
        super().__init__()
        self.latent_size, self.action_size, self.hidden_size = latent_size, action_size, hidden_size
        self.steps, self.batch_size, self.sequence = steps, 8, 10
        self.imagining = NoiseSize(uniform=latent_size, normal=latent_size)
        self.context, self.mixtures = context, mixtures
        self.token = nn.Linear(latent_size + action_size, hidden_size)
        self.layers = nn.ModuleList(_Layer(hidden_size, context) for _ in range(layers))
        self.heads = nn.Linear(hidden_size, 3 * mixtures * latent_size + 2)

    def initial(self, batch: int) -> WindowState:
        zeros = self.heads.weight.new_zeros
        ring = zeros(batch, len(self.layers), self.context, self.hidden_size)
        position = torch.zeros(batch, dtype=torch.long, device=ring.device)
        return WindowState(zeros(batch, self.latent_size), zeros(batch, self.hidden_size), position, ring, ring)

    def advance(self, state: State, action: Tensor) -> WindowState:
        now = WindowState.of(state)
        slots = torch.arange(self.context, device=action.device)
        age = (now.position[:, None] - slots) % self.context
        age = torch.where(age <= now.position[:, None], age, self.context)[:, None]
        here = age.mT == 0
        x, keys, values = self.token(torch.cat((now.z, action), -1))[:, None], [], []
        for number, layer in enumerate(self._layers()):
            query, key, value = layer.ask(x)
            # Not in place: the ring of the step before is that step's, and its gradient's.
            keys.append(torch.where(here, key, now.keys[:, number]))
            values.append(torch.where(here, value, now.values[:, number]))
            x = layer.answer(x, query, keys[-1], values[-1], age)
        return WindowState(now.z, x[:, 0], now.position + 1, torch.stack(keys, 1), torch.stack(values, 1))

    def imagine(
        self, state: State, noise: Noise, temperature: float, reparameterization: Reparameterization = "component"
    ) -> tuple[Prediction, State]:
        said = self._said(WindowState.of(state).h)
        draw = {"component": said.latent.sample, "implicit": said.latent.implicit_sample}[reparameterization]
        return said, state.but(z=draw(noise.uniform, noise.normal, temperature))

    def hidden(self, state: State) -> Tensor:
        return WindowState.of(state).h

    def walk(self, z: Tensor, actions: Tensor) -> Tensor:
        """Return h (B, T, H) of all steps z (B, T, Z) and actions (B, T, A) at once."""
        steps = torch.arange(z.shape[1], device=z.device)
        age = (steps[:, None] - steps).expand(len(z), -1, -1)
        x: Tensor = self.token(torch.cat((z, actions), -1))
        for layer in self._layers():
            query, key, value = layer.ask(x)
            x = layer.answer(x, query, key, value, age)
        return x

    def training_step(self, batch: Sequences) -> Tensor:
        said = self._said(self.walk(batch.mu[:, :-1], batch.actions))
        nll = -said.latent.log_prob(batch.mu[:, 1:]).mean(-1)
        error = (said.reward - batch.rewards).square()
        end = nn.functional.binary_cross_entropy_with_logits(said.done, batch.done, reduction="none")
        loss = ((nll + error + end) * batch.mask).mean()
        self.log("memory/loss", loss)
        return loss

    def validation_step(self, batch: Sequences) -> None:
        self.log("memory/held_out_loss", self.training_step(batch))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=1e-3)

    def _layers(self) -> list[_Layer]:
        return [layer for layer in self.layers if isinstance(layer, _Layer)]

    def _said(self, h: Tensor) -> Prediction:
        mixture, rest = torch.split(self.heads(h), [3 * self.mixtures * self.latent_size, 2], -1)
        parts = mixture.view(*h.shape[:-1], 3, self.mixtures, self.latent_size)
        return Prediction(Mixture(parts), rest[..., 0], rest[..., 1])
