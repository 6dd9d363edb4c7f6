"""A tiny environment with a known optimum: one soft blob walks along a line towards another.

In: an action (1,), the walker's speed. Out: frames (64, 64, 3) uint8, the walker red, the target blue.
Called by: whoever tests the whole pipeline in a minute; pure NumPy, thousands of steps a second.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveFloat, PositiveInt

from wmframe.engine.errors import UserError
from wmframe.envs.spec import Action, EnvSpec, Frame, Simulator
from wmframe.frames import FRAME_SHAPE, FRAME_SIZE

if TYPE_CHECKING:
    from wmframe.envs.pixel_env import PixelEnv

EDGE = 0.8  # start and target lie within ±EDGE; the walker falls off beyond ±1
APART = 0.6  # the walker starts at least this far from the target
REACH = 0.5  # the distance at which the reward has fallen to 1/e
BLOB = 0.26  # standard deviation of a blob: 8.3 pixels, wide, so that a small encoder finds a smooth latent
GROUND, BRIGHTNESS = 40.0, 200.0  # a frame is grey where no blob is
ROWS = {0: -0.25, 2: 0.25}  # a blob's height, by colour channel: red the walker, blue the target


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
    actions: Literal["box"] = "box"
    frame_shape: tuple[Literal[64], Literal[64], Literal[3]] = (64, 64, 3)
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

    def make(self) -> "PixelEnv":
        """A fresh toy."""
        from wmframe.envs.pixel_env import PixelEnv

        return PixelEnv(self, ToySimulator(self))

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


class ToySimulator(Simulator):
    """Where walker and target are, and how they look."""

    def __init__(self, toy: Toy) -> None:
        self.toy = toy
        self.walker, self.target = 0.0, 0.0

    def begin(self, seed: int) -> None:
        """Put walker and target at their places."""
        self.walker, self.target = self.toy.start(seed)

    def advance(self, action: Action) -> tuple[float, bool, bool]:
        """Walk for one frame."""
        self.walker += self.toy.speed * float(np.clip(action[0], -1.0, 1.0))
        return reward(abs(self.walker - self.target)), abs(self.walker) > 1.0, False

    def frame(self) -> Frame:
        """Two blobs on grey; they may overlap, each has a colour channel of its own.

        On black, a small V was seen to learn the darkness and nothing else.
        """
        image = np.full(FRAME_SHAPE, GROUND, np.uint8)
        for channel, place in ((0, self.walker), (2, self.target)):
            image[:, :, channel] = GROUND + BRIGHTNESS * np.outer(profile(ROWS[channel]), profile(place))
        return image


def reward(distance: float) -> float:
    """The reward of one frame at this distance from the target, in (0, 1]."""
    return math.exp(-((distance / REACH) ** 2))


def profile(centre: float) -> NDArray[np.float64]:
    """A blob's brightness along one axis of the frame, (64,), in [0, 1]."""
    pixels = (np.arange(FRAME_SIZE) + 0.5) * (2.0 / FRAME_SIZE) - 1.0
    brightness: NDArray[np.float64] = np.exp(-0.5 * ((pixels - centre) / BLOB) ** 2)
    return brightness
