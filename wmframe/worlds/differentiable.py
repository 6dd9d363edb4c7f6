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

from wmframe.controller.contract import Controller
from wmframe.memory.contract import Memory
from wmframe.memory.rules import Reparameterization, Senses
from wmframe.memory.state import State
from wmframe.memory.unroll import imagined
from wmframe.worlds.contract import DifferentiableWorld
from wmframe.worlds.luck import draw_luck
from wmframe.worlds.rules import DoneRule
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
        luck = draw_luck(self.memory, self.starts, seeds, horizon)
        start = self.starts.begun(self.memory, luck.start, luck.z, luck.observing)
        returns, going_on = torch.zeros_like(luck.z[:, 0]), torch.ones_like(luck.z[:, 0])
        noises = [self.memory.imagining.split(row[:-1].mT) for row in luck.steps]

        def act(state: State) -> Tensor:
            return controller.act(parameters[None], self.memory.features(state, self.senses)[None])[0]

        for said, _ in imagined(self.memory, start, act, noises, self.temperature, self.reparameterization):
            returns = returns + going_on * self._worth(said.reward)
            going_on = going_on * self._survival(said.done)
        if self.bootstrap and said.value is not None:
            returns = returns + going_on * self.value_weight * said.value
        return returns

    def _worth(self, pay: Tensor) -> Tensor:
        return pay if self.risk_tolerance is None else utility(pay, self.risk_tolerance)

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
