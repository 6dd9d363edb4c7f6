"""The environment, with a price of a user's own on every action that C takes while it learns.

One file, one YAML (conf/world/thrifty.yaml beside it), and no edit anywhere else.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from pydantic import NonNegativeFloat
from torch import Tensor

from wmframe.worlds.contract import Step, World
from wmframe.worlds.inputs import WorldInputs
from wmframe.worlds.settings import RealitySettings


class Thrifty(World):
    """Another world, in which a step costs `price` times the action's square."""

    def __init__(self, world: World, price: float) -> None:
        self.feature_size, self.action_size, self.lanes = world.feature_size, world.action_size, world.lanes
        self._world, self._price, self.time_limit = world, price, world.time_limit

    def reset(self, seeds: Sequence[int]) -> Step:
        self._done: Tensor | None = None
        return self._world.reset(seeds)

    def step(self, actions: Tensor) -> Step:
        step, over = self._world.step(actions), self._done
        self._done = step.done
        cost = self._price * actions.square().sum(1)
        return replace(step, reward=step.reward - (cost if over is None else cost.masked_fill(over, 0.0)))

    def twins(self) -> Sequence[World]:
        return [self, *(Thrifty(twin, self._price) for twin in self._world.twins()[1:])]


@dataclass(frozen=True, kw_only=True)
class ThriftyReality(RealitySettings):
    """What C does costs it `price` times its square."""

    price: NonNegativeFloat = 0.1

    @contextmanager
    def open(self, inputs: WorldInputs) -> Iterator[World]:
        with super().open(inputs) as world:
            yield Thrifty(world, self.price)
