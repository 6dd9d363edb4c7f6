"""Says so when the fast renderer no longer draws what Gymnasium draws.

In: the installed Gymnasium, Box2D and pygame. Out: nothing, or a `UserError`. Called by: `CarRacing.make`. Two checks,
once per process: the drawing code that was replaced is the one it was written for, and a few frames of a drive come out
the same (another pygame, another processor). A third goes along with episodes that are scored: `CheckedTrack`.
"""

import functools
import hashlib
import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from gymnasium.envs.box2d import car_dynamics, car_racing
from PIL import Image

from wmframe.engine.errors import UserError
from wmframe.envs.car_racing_fast import FastTrack
from wmframe.envs.car_racing_track import Track

WRITTEN_FOR = "489479d7e376a49d"
ADVICE = (
    "Use env.renderer=reference (the same frames, drawn by Gymnasium itself, slower), "
    "or install the versions in constraints.txt."
)


CHECKED_EVERY = 50
"""Of so many frames of a checked track one is drawn by Gymnasium too, the first of each episode among them."""


class CheckedTrack(FastTrack):
    """A fast track whose frames are spot-checked against Gymnasium's while it is driven: what scores are taken on."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode, whose first frame is checked."""
        self.drawn = 0
        answer: tuple[Any, dict[str, Any]] = super().reset(seed=seed, options=options)
        return answer

    def draw(self) -> Image.Image:
        """Rows 0–83 of Gymnasium's observation. Raises UserError for a checked frame that is not Gymnasium's."""
        picture = super().draw()
        if self.drawn % CHECKED_EVERY == 0 and not np.array_equal(np.asarray(picture), np.asarray(Track.draw(self))):
            raise UserError(
                f"Frame {self.drawn} of an episode is not the one that Gymnasium draws, so its score would not be "
                "Gymnasium's. Install the versions in constraints.txt and run the same command again: what was "
                "computed before is kept.",
                exit_code=1,
            )
        self.drawn += 1
        return picture


def checked_track() -> Track:
    """Return a track to score on: spot-checked where the fast renderer passes `check_renderer`, else Gymnasium's."""
    try:
        check_renderer()
    except UserError:
        return Track()
    return CheckedTrack()


@functools.cache
def check_renderer() -> None:
    """Compare the fast renderer with the reference.

    Raises:
        UserError: Gymnasium's drawing code has changed, or a frame differs.
    """
    if fingerprint() != WRITTEN_FOR:
        raise UserError(
            f"env.renderer=fast was written for Gymnasium 1.4, whose CarRacing draws otherwise than the one "
            f"installed. {ADVICE}"
        )
    if differing_frames() > 0:
        raise UserError(f"env.renderer=fast does not draw what Gymnasium draws on this machine. {ADVICE}")


def fingerprint() -> str:
    """A digest of the code and the constants of Gymnasium that the fast renderer stands on."""
    replaced: list[Callable[..., Any]] = [
        car_racing.CarRacing._render,
        car_racing.CarRacing._render_road,
        car_racing.CarRacing._render_indicators,
        car_racing.CarRacing._draw_colored_polygon,
        car_racing.CarRacing._create_image_array,
        car_racing.CarRacing._create_track,
        car_racing.CarRacing._init_colors,
        car_racing.CarRacing.reset,
        car_racing.CarRacing.step,
        car_racing.FrictionDetector._contact,
        car_dynamics.Car.__init__,
        car_dynamics.Car.draw,
    ]
    try:
        code = [inspect.getsource(function) for function in replaced]
    except OSError:  # installed without its sources: no way to tell
        return "unknown"
    text = "\n".join([*code, constants(car_racing), constants(car_dynamics)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def constants(module: ModuleType) -> str:
    """The names and values of a module's constants."""
    return repr(sorted((name, value) for name, value in vars(module).items() if name.isupper()))


def differing_frames() -> int:
    """How many of four frames differ between both renderers, from zoomed out to turning."""
    track = FastTrack()
    track.reset(seed=1)
    differing = 0
    for step in range(121):
        if step % 40 == 0:
            differing += not np.array_equal(np.asarray(track.draw()), np.asarray(Track.draw(track)))
        track.step(np.array([0.3 if step > 60 else 0.0, 0.6, 0.0]))
    return differing
