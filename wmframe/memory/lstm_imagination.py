"""The MDN-RNN's imagination: everything in place, lanes last in memory, three matrix products a step.

Weights come in once. A lane is a column [a; z; h; 1; c], of which the LSTM reads the first four, the heads [h; 1] and C
[z; h] where they are; every gate and every Gaussian is a row of numbers side by side. That is what lets the products
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
from wmframe.memory.rules import Senses
from wmframe.memory.state import Noise, State


@dataclass(frozen=True)
class LSTMState(State):
    """An LSTM's hidden `h` (B, H) and cell `c` (B, H), beside z."""

    h: Tensor
    c: Tensor


@dataclass(frozen=True)
class LSTMWeights:
    """What a step multiplies by.

    `gates` (4 H, A + Z + H + 1) of [a; z; h; 1], so that the last column is the bias, in the order input, forget,
    output, cell, of which the first three are negated; `heads` (3 K Z + 3, H + 1) of [h; 1]: logits, already divided
    by the temperature, means and log standard deviations, each K by Z, then the reward in the environment's units, the
    done logit and the value.
    """

    gates: Tensor
    heads: Tensor
    mixtures: int
    temperature: float


class LSTMImagination(Imagination):
    """B lanes in columns. Buffers, and the views of them that a step needs, are made once."""

    def __init__(self, weights: LSTMWeights, lanes: int) -> None:
        self._weights = weights
        hidden, mixtures = weights.heads.shape[1] - 1, weights.mixtures
        latent = (len(weights.heads) - 3) // (3 * mixtures)
        action = weights.gates.shape[1] - 1 - latent - hidden
        empty = weights.gates.new_empty
        column = empty(action + latent + 2 * hidden + 1, lanes)
        self._action, self._z, self._h, one, self._c = torch.split(column, [action, latent, hidden, 1, hidden])
        one.fill_(1.0)
        self._read, self._heard = column[:-hidden], column[action + latent : -hidden]
        self._felt = column[action : -hidden - 1].mT
        self._gates = empty(4 * hidden, lanes)
        self._into, self._keep, self._out, self._new = torch.split(self._gates, hidden)
        self._shut = self._gates[: 3 * hidden]
        self._said = empty(len(weights.heads), lanes)
        self._reward, self._done, self._value = self._said[-3:].unbind()
        said = self._said[:-3].view(3, mixtures, latent, lanes)
        self._logits, self._placed = said[0], said[1:].unbind(1)
        self._share = empty(mixtures, latent, lanes)
        self._shares = self._share.unbind()
        self._cut, self._chosen = empty(latent, lanes), empty(2, latent, lanes)
        self._mean, self._log_std = self._chosen
        self._beyond = empty(max(mixtures - 1, 0), latent, lanes)

    def begin(self, state: State, lanes: Tensor | None = None) -> None:
        """See `Imagination.begin`."""
        at = LSTMState.of(state)
        for place, value in ((self._z, at.z), (self._h, at.h), (self._c, at.c)):
            if lanes is None:
                place.copy_(value.mT)
            else:
                place.index_copy_(1, lanes, value.mT)

    def step(self, actions: Tensor, noise: Noise) -> tuple[Tensor, Tensor]:
        """See `Imagination.step`."""
        self._action.copy_(actions.mT)
        self._advance()
        torch.mm(self._weights.heads, self._heard, out=self._said)
        self._draw(noise.uniform.mT, noise.normal.mT)
        return self._reward, self._done

    def value(self) -> Tensor:
        """See `Imagination.value`."""
        return self._value

    def features(self, senses: Senses) -> Tensor:
        """See `Imagination.features`; but for the cell it is a view."""
        if senses == "zhc":
            return torch.cat((self._felt, self._c.mT), 1)
        return self._felt if senses == "zh" else self._z.mT

    def _advance(self) -> None:
        """The LSTM's own equations, with each sigmoid(x) as a division by 1 + exp(-x), which takes less time."""
        torch.mm(self._weights.gates, self._read, out=self._gates)
        self._shut.exp_().add_(1.0)
        self._new.tanh_()
        self._c.div_(self._keep).addcdiv_(self._new, self._into)
        torch.tanh(self._c, out=self._h).div_(self._out)

    def _draw(self, uniform: Tensor, normal: Tensor) -> None:
        """Draw z' as `Mixture.sample` does: `_share` becomes the running sum of the unnormalised weights."""
        torch.amax(self._logits, 0, out=self._cut)
        torch.sub(self._logits, self._cut, out=self._share).exp_()
        for lower, share in pairwise(self._shares):
            share.add_(lower)
        torch.mul(uniform, self._shares[-1], out=self._cut)
        self._chosen.copy_(self._placed[0])
        torch.ge(self._cut, self._share[:-1], out=self._beyond)
        # lerp by exactly 0 or 1 chooses exactly; by flags, `where` takes eight times as long.
        for beyond, placed in zip(self._beyond, self._placed[1:], strict=True):
            self._chosen.lerp_(placed, beyond)
        spread = self._log_std.clamp_(*LOG_STD).exp_().mul_(normal)
        torch.add(self._mean, spread, alpha=math.sqrt(self._weights.temperature), out=self._z)
