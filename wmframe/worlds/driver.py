"""A finished agent: V, M, C and C's parameters, ready to be put into a world.

Made by whoever loads artefacts; used by collection, evaluation and the film. Legend: D parameters.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from wmframe.controller.contract import Controller
from wmframe.envs.batch import EnvBatch
from wmframe.memory.contract import Memory
from wmframe.vision.contract import Vision
from wmframe.worlds.reality import Reality
from wmframe.worlds.rollout import Act, population_act

_ENOUGH: Final = 8
"""Lanes from which on a matrix product rounds each of them alike, however many there are."""


@dataclass(frozen=True, kw_only=True)
class Driver:
    """V, M, C, its parameters (D,), whether it draws z when awake or takes its mean, whether C learned in a dream."""

    vision: Vision
    memory: Memory
    controller: Controller
    parameters: Tensor
    sample_latent: bool
    dreamt: bool

    def act(self) -> Act:
        """Return the policy: features (B, F) to actions (B, A). What a lane does depends on its features alone."""
        steer = population_act(self.controller, self.parameters[None])
        return lambda features: steer(_enough(features))[: len(features)]

    def awake(self, batch: EnvBatch, *, most_steps: int | None = None) -> Reality:
        """Return the world that the driver meets awake, in these environments."""
        return Reality(
            batch=batch,
            vision=self.vision,
            memory=self.memory,
            senses=self.controller.senses,
            sample_latent=self.sample_latent,
            most_steps=most_steps,
        )


def _enough(features: Tensor) -> Tensor:
    """Return the features (B, F) and, where these are few, the last lane's some more times, laid out as they were."""
    missing = _ENOUGH - len(features)
    if missing <= 0:
        return features
    more = features[-1:].expand(missing, -1)
    lanes_last = features.stride(0) == 1
    return torch.cat((features.mT, more.mT), 1).mT if lanes_last else torch.cat((features, more))
