"""One contract for all environments."""

import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from tests.envs.specs import digest, every_spec, held
from wmframe.envs.car_racing import CarRacing, Renderer
from wmframe.envs.spec import EnvSpec


@every_spec
def test_gymnasiums_checker_is_content(spec: EnvSpec) -> None:
    env = spec.make()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env, skip_render_check=True)
    env.close()


@every_spec
def test_spaces_and_pictures(spec: EnvSpec) -> None:
    env = spec.make()
    frame, _ = env.reset(seed=3)
    assert frame.shape == spec.frame_shape
    assert frame.dtype == np.uint8
    assert env.observation_space.contains(frame)
    assert env.action_space.shape == (spec.action_size,)
    assert frame.max() > frame.min()
    picture = np.asarray(env.render())
    assert picture.dtype == np.uint8
    assert picture.ndim == 3
    env.close()


@every_spec
def test_same_seed_same_episode(spec: EnvSpec) -> None:
    used, fresh = spec.make(), spec.make()
    policy = held(0, spec.action_size)
    first = digest(used, 7, policy, 10)
    other = digest(used, 8, policy, 10)
    assert digest(used, 7, policy, 10) == first
    assert digest(fresh, 7, policy, 10) == first
    assert other != first


@every_spec
def test_reset_does_not_leak_a_frame(spec: EnvSpec) -> None:
    env = spec.make()
    first, _ = env.reset(seed=5)
    kept = first.copy()
    for step in range(5):
        env.step(held(1, spec.action_size)(step))
    again, _ = env.reset(seed=5)
    assert np.array_equal(again, kept)
    assert np.array_equal(first, kept), "a frame handed out was written to later"


@every_spec
def test_time_limit_truncates_and_does_not_terminate(spec: EnvSpec) -> None:
    env = spec.make()
    env.reset(seed=2)
    still = np.zeros(spec.action_size, np.float32)
    steps = 0
    terminated = truncated = False
    while not (terminated or truncated):
        _, _, terminated, truncated, _ = env.step(still)
        steps += 1
    assert terminated != truncated
    if truncated:
        assert steps == -(-spec.max_frames // spec.action_repeat)


@every_spec
def test_unseeded_resets_follow_from_the_last_seed(spec: EnvSpec) -> None:
    env = spec.make()
    env.reset(seed=4)
    second, _ = env.reset()
    env.reset(seed=4)
    again, _ = env.reset()
    assert np.array_equal(second, again)


@every_spec
def test_specs_are_plain_values(spec: EnvSpec) -> None:
    assert pickle.loads(pickle.dumps(spec)) == spec  # noqa: S301  # our own bytes: spawned workers get specs so
    assert spec.backend
    assert spec.reference().reference() == spec.reference()


def test_specs_load_no_game() -> None:
    """A configuration is checked in no time: libraries wait for `make`."""
    specs = ("spec", "car_racing", "toy", "gymnasium_pixels", "batch", "process_batch")
    code = f"import sys; {'; '.join('import wmframe.envs.' + name for name in specs)}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "wmframe.envs.process_batch" in loaded
    assert not {"gymnasium", "pygame", "Box2D", "PIL", "torch"} & set(loaded)


@pytest.mark.parametrize("renderer", ["fast", "checked", "reference"])
def test_scores_are_taken_on_checked_frames_whatever_was_recorded(renderer: Renderer) -> None:
    recorded = CarRacing(action_repeat=4, max_frames=100, renderer=renderer)
    assert recorded.reference() == CarRacing(action_repeat=4, max_frames=100, renderer="checked")


def test_a_backend_names_its_renderer() -> None:
    fast = CarRacing(action_repeat=4, max_frames=100)
    assert fast.backend != fast.reference().backend
    assert "gymnasium-" in fast.backend
