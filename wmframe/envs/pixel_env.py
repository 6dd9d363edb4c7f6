"""A simulator as a Gymnasium environment: action repeat, the time limit, seeds and spaces.

In: an action (A,) float32 in [-1, 1]. Out: a frame (H, W, channels) uint8, the summed reward and the two flags.
Called by: `EnvSpec.make`; the batches step what it returns. Shapes: A action.
"""

from collections.abc import Mapping
from typing import Any, SupportsFloat, final

import gymnasium
import numpy as np

from wmframe.envs.spec import Action, EnvSpec, Frame, Simulator


@final
class PixelEnv(gymnasium.Env[Frame, Action]):
    """What all environments of this package share; their simulators are where they differ."""

    def __init__(self, spec: EnvSpec, simulator: Simulator) -> None:
        self.metadata = {"render_modes": ["rgb_array"], "render_fps": 50}
        self.action_repeat = spec.action_repeat
        self.max_frames = spec.max_frames
        self.observation_space = gymnasium.spaces.Box(0, 255, spec.frame_shape, np.uint8)
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (spec.action_size,), np.float32)
        self.render_mode = "rgb_array"
        self.simulator = simulator
        self.frames_done = 0

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Frame, dict[str, Any]]:
        """Begin the episode named by `seed`; without one, the next of the stream that the last seed began."""
        super().reset(seed=seed)
        self.simulator.begin(int(self.np_random.integers(2**31)) if seed is None else seed)
        self.frames_done = 0
        return self.simulator.frame(), {}

    def step(self, action: Action) -> tuple[Frame, SupportsFloat, bool, bool, dict[str, Any]]:
        """Hold one action for `action_repeat` frames, fewer if the episode ends; the reward is their sum.

        A step that reaches a true end and the time limit at once is terminated, not truncated.
        """
        reward, terminated, truncated = 0.0, False, False
        for _ in range(self.action_repeat):
            self.frames_done += 1
            gained, terminated, cut = self.simulator.advance(action)
            reward += gained
            truncated = (cut or self.frames_done >= self.max_frames) and not terminated
            if terminated or truncated:
                break
        return self.simulator.frame(), reward, terminated, truncated, {}

    def render(self) -> Frame:
        """A picture (H, W, 3) uint8 for people; at least as large as the frame."""
        return self.simulator.picture()

    def close(self) -> None:
        """Let the simulator go."""
        self.simulator.close()
