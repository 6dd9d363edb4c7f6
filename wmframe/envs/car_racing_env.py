"""CarRacing drawn only when asked, and the paper's view of it: rows 0–83 of 96, resized to 64×64.

In: an action (3,) in [-1, 1]. Out: frames (64, 64, 3) uint8. Called by: `CarRacing.make`, which sees to
SDL first.
"""

from typing import Any

import numpy as np
from gymnasium.envs.box2d.car_racing import CarRacing as GymnasiumCarRacing
from PIL import Image

from wmframe.envs.car_racing import KEPT_ROWS, CarRacing, car_action
from wmframe.envs.pixel_env import PixelEnv
from wmframe.envs.spec import FRAME_SIZE, Action, Frame


class Track(GymnasiumCarRacing):
    """Gymnasium's CarRacing, with the drawing taken out of `step` and put into `draw`; the rest is its own.

    Gymnasium keeps one Box2D world across resets. That leaves no trace in an episode: a test compares
    episodes in used worlds with the same ones in fresh worlds.
    """

    def _render(self, mode: str) -> Any:
        """Draw nothing while stepping: physics and reward never look at the picture."""
        return None if mode == "state_pixels" else super()._render(mode)

    def draw(self) -> Image.Image:
        """Rows 0–83 of Gymnasium's observation, 96 wide, as an RGB image."""
        return Image.fromarray(np.ascontiguousarray(super()._render("state_pixels")[:KEPT_ROWS]))


class CarRacingEnv(PixelEnv):
    """A track seen as the paper saw it, driven by actions in [-1, 1]."""

    def __init__(self, spec: CarRacing, track: Track) -> None:
        super().__init__(spec)
        self.track = track

    def begin(self, seed: int) -> None:
        """Lay out the track of this seed."""
        self.track.reset(seed=seed)

    def advance(self, action: Action) -> tuple[float, bool, bool]:
        """Drive for one frame, a fiftieth of a second."""
        _, reward, terminated, _, _ = self.track.step(car_action(action))
        return float(reward), terminated, False

    def frame(self) -> Frame:
        """What the car's camera sees; each pixel is the mean of the area it covers."""
        return np.array(self.track.draw().resize((FRAME_SIZE, FRAME_SIZE), Image.Resampling.BOX))

    def render(self) -> Frame:
        """Gymnasium's picture for people (400, 600, 3), instruments included."""
        picture: Frame = self.track._render("rgb_array")
        return picture

    def close(self) -> None:
        """Let the track go."""
        self.track.close()  # type: ignore[no-untyped-call]
