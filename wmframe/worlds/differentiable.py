"""The dream as a function of C's parameters that has a gradient: returns by backpropagation through M.

A memory and start states come in, then one C and seeds; returns go out, attached to C's parameters. The search by
gradient calls it (`search/ascend.py`). Latents are the same as Dream's of the same seed, and an end is weighed by its
probability instead of drawn. Legend: U dreams, D parameters, T horizon, Z latent.

What is exact: with `reparameterization` "implicit" the mean of the gradients is the gradient of the mean dreamt return,
for ends that are sampled or never come. With "component", z' = μ + σ √τ ε of the Gaussian that was chosen (Kingma &
Welling, 2014; through a learned model: Hafner et al., 2020), what C changes about which Gaussian is chosen is left out.
An end by threshold has no gradient with either, and the search clips the gradient of an update.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from wmframe.controller.contract import Controller, Senses, features
from wmframe.memory.contract import Memory
from wmframe.memory.prediction import MemoryState
from wmframe.worlds.contract import DifferentiableWorld
from wmframe.worlds.luck import draw_luck
from wmframe.worlds.rules import DoneRule, Reparameterization
from wmframe.worlds.starts import StartStates

_STEEPEST: Final = 3.0
"""How many tolerances below 0 the slope stays as it is: an end's -100 would be exp(100)."""


@dataclass(frozen=True, kw_only=True)
class DifferentiableDream(DifferentiableWorld):
    """M alone, at temperature τ, from recorded starts, for one C at a time.

    A dream's return is what Dream pays with the same seed where no end can come; where one can, it is the mean over
    whether it does. With a `risk_tolerance`, or another `value_weight` than 1, it is what that is worth instead:
    `utility` of each step's pay, and so much of M's value.
    """

    memory: Memory
    starts: StartStates
    senses: Senses
    horizon: int
    temperature: float
    done_rule: DoneRule
    bootstrap: bool
    reparameterization: Reparameterization = "component"
    risk_tolerance: float | None = None
    value_weight: float = 1.0

    def __post_init__(self) -> None:
        self.memory.requires_grad_(False)  # its weights stay as they are: C's alone get a gradient

    def returns(self, controller: Controller, parameters: Tensor, seeds: Sequence[int], *, horizon: int) -> Tensor:
        """Return what C with parameters (D,) is paid in a dream of `horizon` steps a seed, (U,)."""
        luck = draw_luck(self.starts, seeds, horizon)
        z, state = luck.z, MemoryState(self.starts.h[luck.start], self.starts.c[luck.start])
        returns, going_on = torch.zeros_like(z[:, 0]), torch.ones_like(z[:, 0])
        for uniform, normal in self._steps(luck.steps):
            actions = controller.act(parameters[None], features(self.senses, z, state.h, state.c)[None])[0]
            state = self.memory.advance(z, actions, state)
            said = self.memory.predict(state)
            draw = said.latent.implicit_sample if self.reparameterization == "implicit" else said.latent.sample
            z = draw(uniform, normal, self.temperature)
            returns = returns + going_on * self._worth(said.reward)
            going_on = going_on * self._survival(said.done)
        if self.bootstrap and said.value is not None:
            returns = returns + going_on * self.value_weight * said.value
        return returns

    def _worth(self, pay: Tensor) -> Tensor:
        return pay if self.risk_tolerance is None else utility(pay, self.risk_tolerance)

    def _steps(self, luck: Tensor) -> list[tuple[Tensor, Tensor]]:
        """The uniform and normal numbers of each step, both (U, Z)."""
        size = self.memory.latent_size
        return [(row[:size].mT, row[size : 2 * size].mT) for row in luck]

    def _survival(self, done: Tensor) -> Tensor:
        """How likely a dream goes on after a step with this done logit."""
        if self.done_rule == "sample":
            return (-done).sigmoid()
        return (done <= 0).float() if self.done_rule == "threshold" else torch.ones_like(done)


def utility(pay: Tensor, tolerance: float) -> Tensor:
    """Return ρ (1 - exp(-r/ρ)) of each step's pay r, ρ = `tolerance`: constant absolute risk aversion (Pratt, 1964).

    Its slope is 1 at r = 0, falls to nothing far above ρ, and grows no more from r = -3 ρ downwards.
    """
    scaled = pay / tolerance
    bounded = scaled.clamp(min=-_STEEPEST)
    return tolerance * (1 - (-bounded).exp() + math.exp(_STEEPEST) * (scaled - bounded))
