"""The toy environment itself: two soft blobs on a line.

In: an action (1,), the walker's speed. Out: frames (64, 64, 3) uint8. Called by: `Toy.make`.
"""

import numpy as np
from numpy.typing import NDArray

from wmframe.envs.pixel_env import PixelEnv
from wmframe.envs.spec import FRAME_SHAPE, FRAME_SIZE, Action, Frame
from wmframe.envs.toy import Toy, reward

BLOB = 0.26  # standard deviation of a blob: 8.3 pixels, wide, so that a small encoder finds a smooth latent
GROUND, BRIGHTNESS = 40.0, 200.0  # a frame is grey where no blob is
ROWS = {0: -0.25, 2: 0.25}  # a blob's height, by colour channel: red the walker, blue the target


class ToyEnv(PixelEnv):
    """The toy itself; see `Toy`."""

    def __init__(self, spec: Toy) -> None:
        super().__init__(spec)
        self.toy = spec
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


def profile(centre: float) -> NDArray[np.float64]:
    """A blob's brightness along one axis of the frame, (64,), in [0, 1]."""
    pixels = (np.arange(FRAME_SIZE) + 0.5) * (2.0 / FRAME_SIZE) - 1.0
    brightness: NDArray[np.float64] = np.exp(-0.5 * ((pixels - centre) / BLOB) ** 2)
    return brightness
