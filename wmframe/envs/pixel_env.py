"""The part all environments share: action repeat, the time limit, seeds and spaces.

In: an action (A,) float32 in [-1, 1]. Out: a frame (64, 64, 3) uint8, the summed reward and the two flags.
Called by: `EnvSpec.make`; the batches step what it returns. Shapes: A action.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, SupportsFloat

import gymnasium
import numpy as np

from wmframe.envs.spec import FRAME_SHAPE, Action, EnvSpec, Frame


class PixelEnv(gymnasium.Env[Frame, Action], ABC):
    """A Gymnasium environment made of three acts: begin an episode, advance one frame, draw.

    Advancing and drawing are apart so that, with action repeat, only the last frame is drawn. A subclass's
    drawing must therefore change nothing that a later frame or reward depends on.
    """

    def __init__(self, spec: EnvSpec) -> None:
        self.metadata = {"render_modes": ["rgb_array"], "render_fps": 50}
        self.action_repeat = spec.action_repeat
        self.max_frames = spec.max_frames
        self.observation_space = gymnasium.spaces.Box(0, 255, FRAME_SHAPE, np.uint8)
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (spec.action_size,), np.float32)
        self.render_mode = "rgb_array"
        self.frames_done = 0

    @abstractmethod
    def begin(self, seed: int) -> None:
        """Start the episode that `seed` names; nothing of an earlier episode may remain."""

    @abstractmethod
    def advance(self, action: Action) -> tuple[float, bool, bool]:
        """Move on by one frame, without drawing it.

        Returns the reward, terminated, and truncated by a limit of the environment's own.
        """

    @abstractmethod
    def frame(self) -> Frame:
        """The present frame (64, 64, 3) uint8, an array the caller may keep."""

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Frame, dict[str, Any]]:
        """Begin the episode named by `seed`; without one, the next of the stream that the last seed began."""
        super().reset(seed=seed)
        self.begin(int(self.np_random.integers(2**31)) if seed is None else seed)
        self.frames_done = 0
        return self.frame(), {}

    def step(self, action: Action) -> tuple[Frame, SupportsFloat, bool, bool, dict[str, Any]]:
        """Hold one action for `action_repeat` frames, fewer if the episode ends; the reward is their sum.

        A step that reaches a true end and the time limit at once is terminated, not truncated.
        """
        reward, terminated, truncated = 0.0, False, False
        for _ in range(self.action_repeat):
            self.frames_done += 1
            gained, terminated, cut = self.advance(action)
            reward += gained
            truncated = (cut or self.frames_done >= self.max_frames) and not terminated
            if terminated or truncated:
                break
        return self.frame(), reward, terminated, truncated, {}

    def render(self) -> Frame:
        """A picture (H, W, 3) uint8 for people; at least as large as the frame."""
        return self.frame()
