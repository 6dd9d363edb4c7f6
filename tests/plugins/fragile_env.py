"""The toy, until the machine is told to break it: FRAGILE_ENV=how[:file] in the environment, which is in no key.

`how` is crash, hang, shape or nan. With a file it happens once, to whoever removes the file; without, every time.
"""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wmframe.envs.pixel_env import PixelEnv
from wmframe.envs.spec import Action, Frame
from wmframe.envs.toy import Toy, ToySimulator

VARIABLE = "FRAGILE_ENV"


@dataclass(frozen=True, kw_only=True)
class FragileToy(Toy):
    """The toy under another name."""

    def make(self) -> PixelEnv:
        return PixelEnv(self, FragileSimulator(self))


class FragileSimulator(ToySimulator):
    """Breaks at an episode's fifth frame."""

    def begin(self, seed: int) -> None:
        super().begin(seed)
        self.frames_done = 0

    def advance(self, action: Action) -> tuple[float, bool, bool]:
        self.frames_done += 1
        reward, terminated, truncated = super().advance(action)
        how = self._now()
        if how == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if how == "hang":
            os.kill(os.getpid(), signal.SIGSTOP)
        return (float("nan") if how == "nan" else reward), terminated, truncated

    def frame(self) -> Frame:
        frame = super().frame()
        return frame[:, :, :1].astype(np.float32) if self._now() == "shape" else frame

    def _now(self) -> str:
        how, _, file = os.environ.get(VARIABLE, "").partition(":")
        if how == "" or self.frames_done != 5:
            return ""
        if file == "":
            return how
        try:
            Path(file).unlink()
        except FileNotFoundError:
            return ""
        return how
