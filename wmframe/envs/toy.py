"""A tiny environment with a known optimum: one soft blob walks along a line towards another.

In: an action (1,), the walker's speed. Out: frames (64, 64, 3) uint8, the walker red, the target blue.
Called by: whoever tests the whole pipeline in a minute; pure NumPy, thousands of steps a second.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import PositiveFloat, PositiveInt

from wmframe.engine.errors import UserError
from wmframe.envs.spec import EnvSpec

if TYPE_CHECKING:
    from wmframe.envs.toy_env import ToyEnv

EDGE = 0.8  # start and target lie within ±EDGE; the walker falls off beyond ±1
APART = 0.6  # the walker starts at least this far from the target
REACH = 0.5  # the distance at which the reward has fallen to 1/e


@dataclass(frozen=True, kw_only=True)
class Toy(EnvSpec):
    """Walk to the target and stay there; falling off the line ends the episode.

    The reward of a frame is exp(-(distance/0.5)²). The walker starts a whole number of steps away from
    the target, so that full speed and then standing still is the optimum for any action repeat, and
    `optimal_return` is a sum in closed form.

    Attributes:
        action_size: 1: the speed, as a fraction of `speed`.
        action_repeat: frames an action is held for.
        max_frames: the time limit in frames.
        speed: the way the walker makes in one frame at full speed; the line runs from -1 to 1.

    Raises:
        UserError: one whole step is longer than the way to the target.
    """

    action_size: Literal[1] = 1
    action_repeat: PositiveInt = 1
    max_frames: PositiveInt = 40
    speed: PositiveFloat = 0.1

    def __post_init__(self) -> None:
        if self.stride > EDGE:
            raise UserError(
                f"env: speed {self.speed} × action_repeat {self.action_repeat} is {self.stride:g}, "
                f"but one action of the toy may cover {EDGE} at most; "
                f"try env.speed={EDGE / self.action_repeat:.3g}"
            )

    @property
    def stride(self) -> float:
        """The way made by one action at full speed."""
        return self.speed * self.action_repeat

    @property
    def backend(self) -> str:
        """The toy's version: it changes when a frame or a reward would."""
        return "wmframe-toy-1"

    def make(self) -> "ToyEnv":
        """A fresh toy."""
        from wmframe.envs.toy_env import ToyEnv

        return ToyEnv(self)

    def start(self, seed: int) -> tuple[float, float]:
        """Where the episode named `seed` begins: the places of walker and target, both within ±0.8."""
        rng = np.random.default_rng(seed)
        target = float(rng.uniform(-EDGE, EDGE))
        most = math.floor((EDGE + abs(target)) / self.stride)
        strides = int(rng.integers(min(most, math.ceil(APART / self.stride)), most + 1))
        return target - math.copysign(strides * self.stride, target), target

    def optimal_return(self, seed: int) -> float:
        """The highest return that any policy can reach in the episode named `seed`.

        No walker can be nearer to the target after t frames than max(0, distance - speed·t), the reward falls
        with the distance, and full speed reaches all these bounds at once.
        """
        walker, target = self.start(seed)
        distance = abs(walker - target)
        return sum(reward(max(0.0, distance - self.speed * t)) for t in range(1, self.max_frames + 1))


def reward(distance: float) -> float:
    """The reward of one frame at this distance from the target, in (0, 1]."""
    return math.exp(-((distance / REACH) ** 2))
