"""A memory whose best driver is known: act half of what you see, and nothing is lost."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from wmframe.memory.contract import Memory
from wmframe.memory.mixture import Mixture
from wmframe.memory.prediction import Prediction
from wmframe.memory.rules import Reparameterization
from wmframe.memory.state import Noise, NoiseSize, State
from wmframe.worlds.dream import Dream
from wmframe.worlds.rules import DoneRule
from wmframe.worlds.starts import StartStates


@dataclass(frozen=True)
class SeenAndDone(State):
    """The last z and action, h (B, 2)."""

    h: Tensor


class Pursuit(Memory):
    """z' is standard normal whatever one does; reward = -(a - z/2)², so a = z/2 earns 0 wherever |z| <= 2.

    `end` is the logit of a true end at every step.
    """

    def __init__(self, *, end: float = -math.inf) -> None:
        super().__init__()
        self.latent_size, self.action_size, self.hidden_size = 1, 1, 2
        self.steps, self.batch_size, self.sequence = 0, 1, 1
        self.imagining = NoiseSize(uniform=1, normal=1)
        self.end = end

    def initial(self, batch: int) -> SeenAndDone:
        return SeenAndDone(torch.zeros(batch, 1), torch.zeros(batch, 2))

    def advance(self, state: State, action: Tensor) -> SeenAndDone:
        return SeenAndDone(state.z, torch.cat((state.z, action), -1))

    def imagine(
        self, state: State, noise: Noise, temperature: float, reparameterization: Reparameterization = "component"
    ) -> tuple[Prediction, State]:
        z, action = SeenAndDone.of(state).h.unbind(-1)
        flat = torch.zeros(len(z), 1, 1)
        said = Prediction(Mixture.of(flat, flat, flat), -(action - z / 2).square(), torch.full_like(z, self.end))
        return said, state.but(z=said.latent.sample(noise.uniform, noise.normal, temperature))

    def hidden(self, state: State) -> Tensor:
        return SeenAndDone.of(state).h


def pursuit(*, end: float = -math.inf, horizon: int = 6, done_rule: DoneRule = "sample") -> Dream:
    """Return a dream of it, seen through z alone."""
    starts = StartStates(torch.zeros(3, 1), torch.zeros(3, 1), {"h": torch.zeros(3, 2)})
    return Dream(
        memory=Pursuit(end=end), starts=starts, senses="z", horizon=horizon, temperature=1.0, done_rule=done_rule
    )
