"""An environment of a user's own, of choices and grey frames that are not square's 64: find the door.

One file, one YAML (conf/env/corridor.yaml beside it), and no edit anywhere else.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import PositiveInt

from wmframe.envs.pixel_env import PixelEnv
from wmframe.envs.spec import Action, EnvSpec, Frame, Simulator


@dataclass(frozen=True, kw_only=True)
class Corridor(EnvSpec):
    """A row of `places`; the door is at one of them. A step goes left, stays or goes right, and pays 1 at the door."""

    action_size: Literal[3] = 3
    actions: Literal["discrete"] = "discrete"
    frame_shape: tuple[Literal[84], Literal[84], Literal[1]] = (84, 84, 1)
    max_frames: PositiveInt = 20
    places: PositiveInt = 7

    @property
    def backend(self) -> str:
        return "corridor-1/corridor/numpy"

    def make(self) -> PixelEnv:
        return PixelEnv(self, CorridorSimulator(self))


class CorridorSimulator(Simulator):
    def __init__(self, spec: Corridor) -> None:
        self.spec = spec

    def begin(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.place, self.door = (int(place) for place in rng.choice(self.spec.places, 2, replace=False))

    def advance(self, action: Action) -> tuple[float, bool, bool]:
        self.place = min(max(self.place + int(action.argmax()) - 1, 0), self.spec.places - 1)
        return float(self.place == self.door), False, False

    def frame(self) -> Frame:
        frame = np.zeros((84, 84, 1), np.uint8)
        for place, brightness in ((self.door, 100), (self.place, 255)):
            at = 84 * place // self.spec.places
            frame[20:64, at : at + 84 // self.spec.places] = brightness
        return frame
