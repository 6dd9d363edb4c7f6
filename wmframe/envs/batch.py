"""Many environments stepped together: what any batch of them does, and the one that does it in this process.

In: seeds, then actions (B, A) float32. Out: frames (B, H, W, channels) uint8, rewards and flags (B,). Called by:
collection and the real world. Shapes: B lanes, one environment each; A action.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from wmframe.engine.errors import UserError
from wmframe.envs.spec import Action, EnvSpec, Frame
from wmframe.frames import FrameShape

if TYPE_CHECKING:
    import gymnasium


@dataclass(frozen=True, kw_only=True)
class BatchStep:
    """What one step of B lanes gave; the arrays are the caller's to keep.

    Attributes:
        frames: (B, H, W, channels) uint8.
        rewards: (B,) float32, 0 where the lane was over before.
        terminated: (B,) bool, the episode truly ended, now or earlier.
        truncated: (B,) bool, it ran into its time limit, now or earlier.
    """

    frames: NDArray[np.uint8]
    rewards: NDArray[np.float32]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]

    @property
    def over(self) -> NDArray[np.bool_]:
        """(B,) bool: which lanes have come to an end of either kind."""
        return self.terminated | self.truncated

    def copy(self) -> "BatchStep":
        """The same in arrays of its own."""
        return BatchStep(
            frames=self.frames.copy(),
            rewards=self.rewards.copy(),
            terminated=self.terminated.copy(),
            truncated=self.truncated.copy(),
        )


class EnvBatch(ABC):
    """B independent episodes of one environment, in step.

    A lane that is over stays still: it is not stepped, keeps its last frame and its flags, and earns 0;
    nothing is ever reset behind the caller's back. What a lane does depends on its seed and its actions
    alone.
    """

    spec: EnvSpec

    @abstractmethod
    def reset(self, seeds: Sequence[int]) -> NDArray[np.uint8]:
        """Begin one episode per seed, as many as there are; returns their first frames (B, H, W, channels).

        Raises:
            UserError: an environment can't be made or gives no frames, or worker processes die again and again.
        """

    @abstractmethod
    def step(self, actions: NDArray[np.float32]) -> BatchStep:
        """Step each lane that is not over with its row of `actions` (B, A) in [-1, 1].

        Raises:
            UserError: a frame or a reward is none, or worker processes die again and again.
        """

    @abstractmethod
    def close(self) -> None:
        """Let all environments and processes go; closing twice is harmless."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class SerialBatch(EnvBatch):
    """All lanes in this process, one after the other; environments are kept from one reset to the next."""

    def __init__(self, spec: EnvSpec) -> None:
        self.spec = spec
        self.envs: list[gymnasium.Env[Frame, Action]] = []
        self.seeds: list[int] = []
        self.last = still(0, spec.frame_shape)

    def reset(self, seeds: Sequence[int]) -> NDArray[np.uint8]:
        """See `EnvBatch.reset`."""
        self.envs += [self.spec.make() for _ in range(len(seeds) - len(self.envs))]
        self.seeds, self.last = [int(seed) for seed in seeds], still(len(seeds), self.spec.frame_shape)
        for lane, seed in enumerate(self.seeds):
            frame, _ = self.envs[lane].reset(seed=seed)
            self.last.frames[lane] = self._checked(lane, frame, 0.0)
        return self.last.frames.copy()

    def step(self, actions: NDArray[np.float32]) -> BatchStep:
        """See `EnvBatch.step`."""
        last = self.last
        check_actions(actions, len(last.rewards), self.spec.action_size)
        last.rewards[:] = 0.0
        for lane in np.flatnonzero(~last.over).tolist():
            frame, reward, terminated, truncated, _ = self.envs[lane].step(actions[lane])
            last.frames[lane], last.rewards[lane] = self._checked(lane, frame, float(reward)), float(reward)
            last.terminated[lane], last.truncated[lane] = terminated, truncated
        return last.copy()

    def _checked(self, lane: int, frame: object, reward: float) -> Frame:
        """Return the frame if it and the reward are what they should be: NumPy would spread a smaller one, and a
        reward that is no number would only be found in a fit, hours later. Raises UserError.
        """
        shape = self.spec.frame_shape
        if not isinstance(frame, np.ndarray) or frame.shape != tuple(shape) or frame.dtype != np.uint8:
            what = f"{frame.shape} {frame.dtype}" if isinstance(frame, np.ndarray) else type(frame).__name__
            raise UserError(
                f"env: {type(self.spec).__name__}, seed {self.seeds[lane]}: a frame is {what}, not {shape} uint8. "
                "The environment's `make` must give such frames, or its frame_shape say what they are",
                exit_code=1,
            )
        if not math.isfinite(reward):
            raise UserError(
                f"env: {type(self.spec).__name__}, seed {self.seeds[lane]}: a reward is {reward}, which is no number "
                "to learn from. What was finished before is kept; mend the environment and run the same command again",
                exit_code=1,
            )
        return frame

    def close(self) -> None:
        """See `EnvBatch.close`."""
        for env in self.envs:
            env.close()
        self.envs = []
        self.last = still(0, self.spec.frame_shape)


def still(lanes: int, shape: FrameShape) -> BatchStep:
    """The state of lanes of which nothing is known yet: black, without reward, not over."""
    return BatchStep(
        frames=np.zeros((lanes, *shape), np.uint8),
        rewards=np.zeros(lanes, np.float32),
        terminated=np.zeros(lanes, np.bool_),
        truncated=np.zeros(lanes, np.bool_),
    )


def check_actions(actions: NDArray[np.float32], lanes: int, size: int) -> None:
    """Raise a `ValueError` unless the actions are (lanes, size): broadcasting here would hide a mistake."""
    if actions.shape != (lanes, size):
        raise ValueError(f"actions have the shape {actions.shape}, not ({lanes}, {size})")
