"""A finished agent: V, M, C and C's parameters, ready to be put into a world.

Made by whoever loads artefacts; used by collection, evaluation and the film. Legend: D parameters.
"""

from copy import deepcopy
from dataclasses import dataclass, replace

from torch import Tensor

from wmframe.controller.contract import Controller
from wmframe.envs.batch import EnvBatch
from wmframe.memory.contract import Memory
from wmframe.vision.contract import Vision
from wmframe.worlds.reality import Reality
from wmframe.worlds.rollout import Act, population_act
from wmframe.worlds.tiles import by_tiles


@dataclass(frozen=True, kw_only=True)
class Driver:
    """V, M, C, its parameters (D,), whether it draws z when awake or takes its mean, whether C learned in a dream."""

    vision: Vision
    memory: Memory
    controller: Controller
    parameters: Tensor
    sample_latent: bool
    dreamt: bool

    def in_double(self) -> "Driver":
        """Return the same driver computing in float64.

        On a track the last bit of float32, which is each processor's own, decides whole corners some seconds later.
        That of float64 is gone when actions are rounded to float32.
        """
        vision, memory = deepcopy(self.vision).double(), deepcopy(self.memory).double()
        return replace(self, vision=vision, memory=memory, parameters=self.parameters.double())

    def act(self) -> Act:
        """Return the policy: features (B, F) to actions (B, A). What a lane does depends on its features alone."""
        steer = population_act(self.controller, self.parameters[None])
        return lambda features: by_tiles(lambda tile: (steer(tile[0]),), (features,))[0]

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
