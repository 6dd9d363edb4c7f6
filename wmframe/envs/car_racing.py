"""CarRacing-v3 as the paper saw it: its frames, and the one map from the framework's actions to the car's.

In: the keyword arguments of `conf/env/car_racing.yaml`. Out: frames (64, 64, 3) uint8 without the
instrument panel. Called by: collection, the real world, the report, through `EnvSpec`. Ha & Schmidhuber
(2018), sections 2 and 3.
"""

from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt

from wmframe.envs.headless import headless
from wmframe.envs.spec import Action, EnvSpec, Frame, Simulator
from wmframe.frames import FRAME_SIZE

if TYPE_CHECKING:
    from wmframe.envs.car_racing_track import Track
    from wmframe.envs.pixel_env import PixelEnv

Renderer = Literal["fast", "checked", "reference"]


@dataclass(frozen=True, kw_only=True)
class CarRacing(EnvSpec):
    """Gymnasium's CarRacing-v3 with rows 0–83 of 96 kept and resized (Pillow, BOX) to 64×64.

    Reward per frame: -0.1, and 1000/N for each of the N road tiles when it is first visited; -100 for
    leaving the playfield, which ends the episode, as visiting every tile does. In Gymnasium 1.4 tile 0 is
    already visited when the episode begins (its issue 1269), so that its `lap_complete_percent` never
    ends a lap; this is left as it is, because it gives back the rule of the paper's version v0.

    Attributes:
        action_size: 3: steering, gas and brake; see `car_action`.
        action_repeat: frames an action is held for; only the last of them is drawn.
        max_frames: the time limit in frames, 1000 in the paper.
        renderer: "fast" draws the same pixels in a fraction of the time; "checked" does so where it can,
            and compares one frame in fifty with Gymnasium's; "reference" leaves all the drawing to
            Gymnasium.
    """

    action_size: Literal[3] = 3
    actions: Literal["box"] = "box"
    frame_shape: tuple[Literal[64], Literal[64], Literal[3]] = (64, 64, 3)
    action_repeat: PositiveInt = 1
    max_frames: PositiveInt = 1000
    renderer: Renderer = "fast"

    @property
    def backend(self) -> str:
        """Gymnasium's version, the environment and the renderer."""
        return f"gymnasium-{version('gymnasium')}/CarRacing-v3/{self.renderer}"

    @property
    def episodes(self) -> str:
        """Every episode is a track of its own."""
        return "tracks"

    def make(self) -> "PixelEnv":
        """A fresh track.

        Raises:
            UserError: the fast renderer was written for another Gymnasium, or does not draw what the
                reference does.
        """
        with headless():
            from wmframe.envs.pixel_env import PixelEnv

            return PixelEnv(self, CarRacingSimulator(self._track()))

    def _track(self) -> "Track":
        """A fresh track, drawn as `renderer` says. Raises UserError as `make` does."""
        if self.renderer == "reference":
            from wmframe.envs.car_racing_track import Track

            return Track()
        from wmframe.envs.car_racing_fast import FastTrack
        from wmframe.envs.car_racing_guard import check_renderer, checked_track

        if self.renderer == "checked":
            return checked_track()
        check_renderer()
        return FastTrack()

    def reference(self) -> "CarRacing":
        """Gymnasium's own track; its frames are Gymnasium's, drawn fast and spot-checked where that can be done."""
        return replace(self, renderer="checked")


class CarRacingSimulator(Simulator):
    """A track seen as the paper saw it, driven by actions in [-1, 1]."""

    def __init__(self, track: "Track") -> None:
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
        from PIL import Image

        return np.array(self.track.draw().resize((FRAME_SIZE, FRAME_SIZE), Image.Resampling.BOX))

    def picture(self) -> Frame:
        """Gymnasium's picture for people (400, 600, 3), instruments included."""
        picture: Frame = self.track._render("rgb_array")
        return picture

    def close(self) -> None:
        """Let the track go."""
        self.track.close()  # type: ignore[no-untyped-call]


def car_action(action: NDArray[np.float32]) -> NDArray[np.float64]:
    """Map actions (..., 3) in [-1, 1] to steering in [-1, 1], gas in [0, 1] and brake in [0, 1].

    gas = (a + 1)/2 and brake = clip(a, 0, 1), the paper's map; values outside [-1, 1] are clipped first.
    """
    inside = np.clip(action, -1.0, 1.0).astype(np.float64)
    inside[..., 1] = (inside[..., 1] + 1.0) / 2.0
    inside[..., 2] = np.clip(inside[..., 2], 0.0, 1.0)
    return inside
