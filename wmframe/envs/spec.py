"""What every environment is: a plain description in, a Gymnasium environment that shows frames out.

In: the keyword arguments of an `env` YAML. Out: `make()`, an environment whose observation is a frame
(H, W, channels) uint8 and whose action is float32 in [-1, 1]^A. In this package, what happens in an environment is a
`Simulator`, and `PixelEnv` makes a Gymnasium environment of it.
Called by: collection, the real world, the report. Shapes: A action.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt

from wmframe.frames import FrameShape

if TYPE_CHECKING:
    import gymnasium


ActionKind = Literal["box", "discrete"]
"""A point of [-1, 1]^A, or one of A choices, told as a vector that is 1 at the choice and 0 elsewhere."""

Frame = NDArray[np.uint8]
Action = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class EnvSpec(ABC):
    """A description of an environment: cheap to build, picklable, equal if its values are equal.

    Attributes:
        action_size: A, the length of an action.
        frame_shape: (H, W, channels) of a frame.
        actions: what kind of actions these are; an environment of choices has as many as A.
        action_repeat: how many environment frames one action is held for; rewards are summed over them.
        max_frames: the time limit in environment frames, that is before action repeat; it truncates, never
            terminates.
    """

    action_size: PositiveInt
    actions: ActionKind = "box"
    frame_shape: FrameShape = (64, 64, 3)
    action_repeat: PositiveInt = 1
    max_frames: PositiveInt = 1000

    @property
    @abstractmethod
    def backend(self) -> str:
        """What produced the frames, for a data set to record: "package-version/environment/renderer"."""

    @abstractmethod
    def make(self) -> "gymnasium.Env[Frame, Action]":
        """A fresh environment; the ones of this package are a `PixelEnv`. Gymnasium is imported here, not before.

        Raises:
            UserError: the environment can't be made as described; the message says what would do.
        """

    def check(self) -> None:  # noqa: B027  # mostly there is nothing to find out
        """Find out before any work whether this machine has what the environment needs.

        Raises:
            UserError: it has not; the message says what to install, or what to use instead.
        """

    @property
    def episodes(self) -> str:
        """What people call its episodes, in the plural."""
        return "episodes"

    @property
    def most_steps(self) -> int:
        """The time limit in steps, that is after action repeat."""
        return -(-self.max_frames // self.action_repeat)

    def reference(self) -> "EnvSpec":
        """The spec that scores are taken on: itself, unless another is surer to show the original's frames."""
        return self


class Simulator(ABC):
    """What happens in an environment, in three acts: begin an episode, advance one frame, draw.

    Advancing and drawing are apart so that, with action repeat, only the last frame is drawn. Drawing must
    therefore change nothing that a later frame or reward depends on.
    """

    @abstractmethod
    def begin(self, seed: int) -> None:
        """Start the episode that `seed` names; nothing of an earlier episode may remain."""

    @abstractmethod
    def advance(self, action: Action) -> tuple[float, bool, bool]:
        """Move on by one frame, without drawing it.

        Returns the reward, terminated, and truncated by a limit of the simulator's own.
        """

    @abstractmethod
    def frame(self) -> Frame:
        """The present frame, of the spec's shape, uint8; an array the caller may keep."""

    def picture(self) -> Frame:
        """A picture (H, W, 3) uint8 for people; at least as large as the frame."""
        return self.frame()

    def close(self) -> None:  # noqa: B027  # mostly there is nothing to let go
        """Let go of what it holds."""
