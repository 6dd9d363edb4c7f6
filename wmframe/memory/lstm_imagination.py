"""The MDN-RNN's imagination: everything in place, lanes last in memory, three matrix products a step.

Weights come in once. The input, z, h and c of a lane lie in one column, so that the LSTM reads [a; z; h] and C reads
[z; h; c] where they are; every gate and every Gaussian is a row of numbers side by side. That is what lets the products
take most of the time (`docs/performance.md`). Called by MDNRNN. Legend: B lanes, Z latent, A action, H hidden,
K mixtures.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from wmframe.memory.imagination import Imagination
from wmframe.memory.mixture import LOG_STD
from wmframe.memory.prediction import MemoryState


@dataclass(frozen=True)
class LSTMWeights:
    """What a step multiplies by.

    `gates` (4 H, A + Z + H) and `gates_bias` (4 H, 1), in the order input, forget, output, cell; `heads`
    (3 K Z + 2, H) and `heads_bias`: logits, means and log standard deviations, each K by Z, then reward and done.
    The reward is `reward_scale` times its head; `done_shift` is taken off the done logit, and infinite if M
    predicts no end.
    """

    gates: Tensor
    gates_bias: Tensor
    heads: Tensor
    heads_bias: Tensor
    mixtures: int
    reward_scale: float
    done_shift: float


class LSTMImagination(Imagination):
    """B lanes in columns. Buffers are allocated once."""

    def __init__(self, weights: LSTMWeights, lanes: int) -> None:
        self._weights = weights
        hidden = weights.heads.shape[1]
        latent = (len(weights.heads) - 2) // (3 * weights.mixtures)
        action = weights.gates.shape[1] - latent - hidden
        empty = weights.gates.new_empty
        self._column = empty(action + latent + 2 * hidden, lanes)
        self._action, self._z, self._h, self._c = torch.split(self._column, [action, latent, hidden, hidden])
        self._gates = empty(4 * hidden, lanes)
        self._said = empty(len(weights.heads), lanes)
        self._share = empty(weights.mixtures, latent, lanes)
        said = self._said[:-2].view(3, weights.mixtures, latent, lanes)
        self._logits, self._placed = said[0], said[1:]
        self._cut, self._chosen = empty(latent, lanes), empty(2, latent, lanes)
        self._beyond = torch.empty(latent, lanes, dtype=torch.bool, device=weights.gates.device)

    def begin(self, z: Tensor, state: MemoryState, lanes: Tensor | None = None) -> None:
        """See `Imagination.begin`."""
        for place, value in ((self._z, z), (self._h, state.h), (self._c, state.c)):
            if lanes is None:
                place.copy_(value.mT)
            else:
                place.index_copy_(1, lanes, value.mT)

    def step(self, actions: Tensor, uniform: Tensor, normal: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
        """See `Imagination.step`."""
        self._action.copy_(actions.mT)
        self._advance()
        torch.addmm(self._weights.heads_bias, self._weights.heads, self._h, out=self._said)
        self._draw(uniform.mT, normal.mT, temperature)
        reward, done = self._said[-2:]
        return reward * self._weights.reward_scale, done - self._weights.done_shift

    def now(self) -> Tensor:
        """See `Imagination.now`."""
        return self._column[len(self._action) :].mT

    def _advance(self) -> None:
        """The LSTM's own equations."""
        torch.addmm(self._weights.gates_bias, self._weights.gates, self._column[: -len(self._c)], out=self._gates)
        size = len(self._h)
        self._gates[: 3 * size].sigmoid_()
        self._gates[3 * size :].tanh_()
        into, keep, out, new = torch.split(self._gates, size)
        self._c.mul_(keep).addcmul_(into, new)
        torch.tanh(self._c, out=self._h).mul_(out)

    def _draw(self, uniform: Tensor, normal: Tensor, temperature: float) -> None:
        """Draw z' as `Mixture.sample` does: `_share` becomes the running sum of the unnormalised weights."""
        torch.amax(self._logits, 0, out=self._cut)
        torch.sub(self._logits, self._cut, out=self._share).div_(temperature).exp_()
        for lower, share in pairwise(self._share):
            share.add_(lower)
        torch.mul(uniform, self._share[-1], out=self._cut)
        self._chosen.copy_(self._placed[:, 0])
        for share, placed in zip(self._share[:-1], self._placed.unbind(1)[1:], strict=True):
            torch.ge(self._cut, share, out=self._beyond)
            torch.where(self._beyond, placed, self._chosen, out=self._chosen)
        mean, log_std = self._chosen
        spread = log_std.clamp_(*LOG_STD).exp_().mul_(normal)
        torch.add(mean, spread, alpha=math.sqrt(temperature), out=self._z)
