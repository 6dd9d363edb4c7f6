"""Every kind of environment, and ways to run one, for the tests of this folder."""

import hashlib
from collections.abc import Callable

import gymnasium
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.plugins.corridor_env import Corridor
from wmframe.envs.car_racing import CarRacing
from wmframe.envs.gymnasium_pixels import GymnasiumPixels
from wmframe.envs.spec import Action, EnvSpec, Frame
from wmframe.envs.toy import Toy

Policy = Callable[[int], NDArray[np.float32]]

SPECS: dict[str, EnvSpec] = {
    "toy": Toy(),
    "toy repeated": Toy(action_repeat=3),
    "car fast": CarRacing(max_frames=40),
    "car repeated": CarRacing(max_frames=40, action_repeat=4),
    "car reference": CarRacing(max_frames=20, renderer="reference"),
    "cart pole": GymnasiumPixels(id="CartPole-v1", actions="discrete", action_size=2, max_frames=30),
    "pole, grey": GymnasiumPixels(
        id="CartPole-v1", actions="discrete", action_size=2, max_frames=30, frame_shape=(40, 60, 1)
    ),
    "corridor": Corridor(),
    "hill": GymnasiumPixels(id="MountainCarContinuous-v0", action_size=1, max_frames=20, action_repeat=2),
}

every_spec = pytest.mark.parametrize("spec", [pytest.param(spec, id=name) for name, spec in SPECS.items()])


def held(seed: int, size: int, frames: int = 15) -> Policy:
    """Random actions, each held for some steps, as a function of the step."""
    rng = np.random.default_rng(seed)
    actions = rng.uniform(-1.0, 1.0, (1000 // frames + 1, size)).astype(np.float32)
    return lambda step: actions[step // frames]


def digest(env: gymnasium.Env[Frame, Action], seed: int, policy: Policy, steps: int) -> str:
    """A hash of all frames, rewards and flags of one episode, cut after so many steps."""
    state = hashlib.sha256()
    frame, _ = env.reset(seed=seed)
    state.update(frame.tobytes())
    for step in range(steps):
        frame, reward, terminated, truncated, _ = env.step(policy(step))
        state.update(frame.tobytes() + repr((float(reward), terminated, truncated)).encode())
        if terminated or truncated:
            break
    return state.hexdigest()
