"""The track: its view, its actions, its rewards, and that episodes don't touch one another."""

from typing import Any, SupportsFloat

import numpy as np
import pytest
from gymnasium.error import DependencyNotInstalled
from PIL import Image

from tests.envs.specs import digest, held
from wmframe.envs.car_racing import CarRacing, car_action
from wmframe.envs.headless import headless

with headless():
    try:
        from gymnasium.envs.box2d.car_racing import CarRacing as GymnasiumCarRacing
    except DependencyNotInstalled:  # pragma: no cover
        pytest.skip("Box2D is not installed", allow_module_level=True)


def test_the_action_map_is_the_papers() -> None:
    actions = np.array([[-1, -1, -1], [0, 0, 0], [0.5, 1, 0.25], [3, 3, 3], [-3, -3, -3]], np.float32)
    expected = np.array([[-1, 0, 0], [0, 0.5, 0], [0.5, 1, 0.25], [1, 1, 1], [-1, 0, 0]])
    assert np.allclose(car_action(actions), expected)
    assert np.array_equal(car_action(actions[2]), car_action(actions)[2])
    assert actions[3, 0] == 3, "the caller's actions were written to"


def test_the_frame_is_gymnasiums_without_the_panel() -> None:
    theirs, ours = GymnasiumCarRacing(), CarRacing().make()
    observation, _ = theirs.reset(seed=11)
    frame, _ = ours.reset(seed=11)
    for step in range(60):
        image = Image.fromarray(np.ascontiguousarray(observation[:84]))
        assert np.array_equal(frame, np.asarray(image.resize((64, 64), Image.Resampling.BOX)))
        action = held(3, 3)(step)
        observation, *theirs_said, _ = theirs.step(car_action(action))
        frame, *ours_said, _ = ours.step(action)
        assert ours_said == theirs_said


@pytest.mark.parametrize("renderer", ["fast", "reference"])
def test_repeat_is_the_same_as_stepping(renderer: str) -> None:
    """Frames that are not drawn change nothing: 3 × 20 frames and a time limit that falls inside a repeat."""
    single = CarRacing(max_frames=58, renderer=renderer).make()  # type: ignore[arg-type]
    triple = CarRacing(max_frames=58, renderer=renderer, action_repeat=3).make()  # type: ignore[arg-type]
    single.reset(seed=5)
    triple.reset(seed=5)
    frames = 0
    for step in range(20):
        action = held(9, 3, frames=4)(step)
        total, truncated = 0.0, False
        for _ in range(3):
            if not truncated:
                one, reward, terminated, truncated, _ = single.step(action)
                total += float(reward)
                frames += 1
        three, reward, *flags, _ = triple.step(action)
        assert np.array_equal(one, three)
        assert reward == total
        assert flags == [terminated, truncated]
    assert (frames, flags) == (58, [False, True])


def test_leaving_the_playfield_terminates() -> None:
    """Straight on, over the grass and out: -100 and a true end, well before the time limit."""
    env = CarRacing(action_repeat=8).make()
    env.reset(seed=0)
    terminated = truncated = False
    reward: SupportsFloat = 0.0
    while not (terminated or truncated):
        _, reward, terminated, truncated, _ = env.step(np.array([0.0, -0.5, 0.0], np.float32))
    assert terminated
    assert float(reward) < -90
    assert env.frames_done < 1000


def test_tile_0_is_already_visited() -> None:
    """Gymnasium's issue 1269: should a new version mend it, scores change, and the documentation must too."""
    env: Any = CarRacing().make()
    env.reset(seed=0)
    assert env.simulator.track.road[0].road_visited


@pytest.mark.slow
@pytest.mark.parametrize("renderer", ["fast", "reference"])
def test_fifty_episodes_in_one_process_are_independent(renderer: str) -> None:
    """Gymnasium keeps one Box2D world across resets: out of order, cut anywhere, nothing must change."""
    spec = CarRacing(renderer=renderer, action_repeat=10)  # type: ignore[arg-type]
    rng = np.random.default_rng(0)
    used = spec.make()
    for seed in rng.permutation(50):
        steps = int(rng.integers(1, 20))
        policy = held(int(seed), 3, frames=2)
        assert digest(used, int(seed), policy, steps) == digest(spec.make(), int(seed), policy, steps), seed


@pytest.mark.slow
def test_long_episodes_are_independent() -> None:
    """Whole episodes, drawn rarely: what physics would carry over, it would carry over here."""
    spec = CarRacing(action_repeat=25)
    used = spec.make()
    for seed in np.random.default_rng(1).permutation(25):
        policy = held(int(seed) + 1000, 3, frames=1)
        assert digest(used, int(seed), policy, 40) == digest(spec.make(), int(seed), policy, 40), seed


def test_a_few_episodes_are_independent() -> None:
    spec = CarRacing(action_repeat=10)
    used = spec.make()
    for seed in (3, 1, 2, 3, 1):
        policy = held(seed, 3, frames=3)
        assert digest(used, seed, policy, 12) == digest(spec.make(), seed, policy, 12), seed
