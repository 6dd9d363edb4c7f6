"""Gymnasium's CarRacing, drawn only when asked, and then only what the paper kept of it: rows 0–83 of 96.

In: a car's action (3,). Out: an RGB image 96×84. Called by: `CarRacing.make`, which sees to SDL first.
"""

from typing import Any

import numpy as np
from gymnasium.envs.box2d.car_racing import CarRacing as GymnasiumCarRacing
from PIL import Image

KEPT_ROWS = 84  # of 96; below them lies the instrument panel


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
