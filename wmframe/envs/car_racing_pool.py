"""CarRacing in bulk: EnvPool drives and draws all lanes in threads of its own, outside Python.

In: seeds, then actions (B, 3) in [-1, 1]. Out: frames (B, 64, 64, 3) uint8, rewards and flags (B,). Called by:
`CarRacing` with `renderer: envpool`. Shapes: B lanes.

It is the same game and another simulator: physics in float32, seeds that name other tracks, edges without
antialiasing. EnvPool takes seeds only while a pool is made, so every reset makes a new one (a third of a second for
64 lanes); and it would begin another episode in a lane that has ended, so such lanes are left out of what it is sent.
"""

import functools
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wmframe.engine.errors import UserError
from wmframe.envs.batch import BatchStep, EnvBatch, check_actions, still
from wmframe.envs.car_racing import KEPT_ROWS, CarRacing, car_action
from wmframe.envs.pixel_env import PixelEnv
from wmframe.envs.spec import FRAME_SIZE, Action, Frame

ADVICE = "Type: pip install 'envpool>=1.2.5,<2' (740 MB), or use env.renderer=fast, which needs nothing more."
NEVER = 2**30  # frames; the time limit is the spec's, since EnvPool does not tell it from a true end
SEEDS = 2**32  # how many tracks EnvPool can tell apart


class PoolBatch(EnvBatch):
    """All lanes in one pool, driven by `threads` threads."""

    def __init__(self, spec: CarRacing, threads: int) -> None:
        load_envpool()
        self.spec = spec
        self.threads = threads
        self.pool: Any = None
        self.last = still(0)
        self.frames_done = 0  # since the reset, by every lane that is not over

    def reset(self, seeds: Sequence[int]) -> NDArray[np.uint8]:
        """See `EnvBatch.reset`."""
        self.pool = None  # the threads of the last one end here
        self.last, self.frames_done = still(len(seeds)), 0
        if len(seeds) > 0:
            self.pool = open_pool(seeds, self.threads)
            self.last.frames[:] = shrink(self.pool.reset()[0])
        return self.last.frames.copy()

    def step(self, actions: NDArray[np.float32]) -> BatchStep:
        """See `EnvBatch.step`."""
        last = self.last
        check_actions(actions, len(last.rewards), self.spec.action_size)
        controls = car_action(actions).astype(np.float32)
        earned = np.zeros(len(last.rewards))
        for left in reversed(range(self.spec.action_repeat)):
            lanes = np.flatnonzero(~last.over)
            if len(lanes) == 0:
                break
            self.frames_done += 1
            pictures, gained, terminated, _, _ = self.pool.step(controls[lanes], lanes)
            earned[lanes] += gained
            last.terminated[lanes] = terminated
            last.truncated[lanes] = ~terminated & (self.frames_done >= self.spec.max_frames)
            seen = last.over[lanes] | (left == 0)
            last.frames[lanes[seen]] = shrink(pictures[seen])
        last.rewards[:] = earned
        return last.copy()

    def close(self) -> None:
        """See `EnvBatch.close`."""
        self.pool, self.last = None, still(0)


class PoolEnv(PixelEnv):
    """One lane as a Gymnasium environment."""

    def begin(self, seed: int) -> None:
        """Lay out the track that EnvPool knows by this seed."""
        self.pool = open_pool([seed], 1)
        self.picture = self.pool.reset()[0]

    def advance(self, action: Action) -> tuple[float, bool, bool]:
        """Drive for one frame, a fiftieth of a second."""
        controls = car_action(action).astype(np.float32)
        self.picture, reward, terminated, _, _ = self.pool.step(controls[np.newaxis])
        return float(reward[0]), bool(terminated[0]), False

    def frame(self) -> Frame:
        """What the car's camera sees."""
        frame: Frame = shrink(self.picture)[0]
        return frame

    def render(self) -> Frame:
        """All that EnvPool draws (96, 96, 3), instruments included."""
        picture: Frame = self.picture[0].copy()
        return picture

    def close(self) -> None:
        """Let the track go."""
        self.pool = None


def envpool_version() -> str:
    """Which EnvPool is installed.

    Raises:
        UserError: none is.
    """
    try:
        return version("envpool")
    except PackageNotFoundError:
        raise UserError(f"env.renderer=envpool needs the package envpool, which is not installed. {ADVICE}") from None


def load_envpool() -> Any:
    """The package itself; it takes two seconds to load.

    Raises:
        UserError: it is not installed, or does not load on this machine.
    """
    found = envpool_version()
    try:
        import envpool
    except ImportError as problem:
        raise UserError(f"env.renderer=envpool: envpool {found} does not load ({problem}). {ADVICE}") from problem
    return envpool


def open_pool(seeds: Sequence[int], threads: int) -> Any:
    """A fresh pool, one lane per seed.

    Raises:
        ValueError: a seed is negative, or not below 2³².
    """
    if min(seeds) < 0 or max(seeds) >= SEEDS:
        raise ValueError(f"EnvPool's seeds are 32 bits wide, but these reach from {min(seeds)} to {max(seeds)}")
    return load_envpool().make_gymnasium(
        "CarRacing-v3",
        num_envs=len(seeds),
        seed=np.array(seeds, np.uint32).view(np.int32).tolist(),
        num_threads=max(1, min(threads, len(seeds))),
        max_episode_steps=NEVER,
    )


def shrink(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Rows 0–83 of pictures (B, 96, 96, 3) as frames (B, 64, 64, 3): Pillow's BOX, bit for bit and all at once."""
    left, right = sources(pictures.shape[2])
    above, below = sources(KEPT_ROWS)
    kept = pictures[:, :KEPT_ROWS]
    narrow = mean(kept.take(left, axis=2), kept.take(right, axis=2))
    return mean(narrow.take(above, axis=1), narrow.take(below, axis=1))


@functools.cache
def sources(length: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The first and the last of `length` pixels, (64,) each, whose mean Pillow's BOX takes; often one and the same.

    Pillow itself is asked, by the picture of a unit matrix. From 64 to 128 pixels there are never more than two.
    """
    unit = Image.fromarray(np.eye(length, dtype=np.float32))
    taken = np.asarray(unit.resize((length, FRAME_SIZE), Image.Resampling.BOX)) > 0
    return taken.argmax(axis=1), length - 1 - taken[:, ::-1].argmax(axis=1)


def mean(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The mean, halves rounded up as Pillow does, without leaving uint8."""
    rounded: NDArray[np.uint8] = (one | other) - ((one ^ other) >> 1)
    return rounded
