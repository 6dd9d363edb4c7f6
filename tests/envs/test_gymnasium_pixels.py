"""Other Gymnasium environments, by YAML alone."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from PIL import Image

from wmframe.engine.errors import UserError
from wmframe.envs.gymnasium_pixels import GymnasiumPixels, GymnasiumSimulator, equal_part
from wmframe.envs.headless import headless
from wmframe.envs.spec import ActionKind


def test_the_frame_is_the_picture_made_small() -> None:
    spec = GymnasiumPixels(id="CartPole-v1", actions="discrete", action_size=2, skip_rows=100, keep_rows=250)
    frame, _ = spec.make().reset(seed=3)
    inner = gymnasium.make("CartPole-v1", render_mode="rgb_array")
    inner.reset(seed=3)
    picture = np.asarray(inner.render())[100:350]
    inner.close()
    assert np.array_equal(frame, np.asarray(Image.fromarray(picture).resize((64, 64), Image.Resampling.BOX)))


def test_observations_can_be_the_pixels() -> None:
    spec = GymnasiumPixels(id="CarRacing-v3", action_size=3, pixels="observation", keep_rows=84)
    frame, _ = spec.make().reset(seed=3)
    inner = gymnasium.make("CarRacing-v3")
    observation, _ = inner.reset(seed=3)
    image = Image.fromarray(np.ascontiguousarray(observation[:84]))
    assert np.array_equal(frame, np.asarray(image.resize((64, 64), Image.Resampling.BOX)))


def test_the_registered_time_limit_is_replaced() -> None:
    """MountainCar's own limit is 200."""
    env = GymnasiumPixels(id="MountainCar-v0", action_size=1, max_frames=230, action_repeat=23).make()
    env.reset(seed=0)
    flags = [env.step(np.zeros(1, np.float32))[2:4] for _ in range(10)]
    assert flags == [(False, False)] * 9 + [(False, True)]


def test_rewards_are_summed_over_the_repeat_and_stop_at_the_end() -> None:
    """A pole that is always pushed to one side falls after about ten steps, each worth 1."""
    single = GymnasiumPixels(id="CartPole-v1", actions="discrete", action_size=2).make()
    many = GymnasiumPixels(id="CartPole-v1", actions="discrete", action_size=2, action_repeat=50).make()
    push = np.array([1.0, -1.0], np.float32)
    single.reset(seed=1)
    steps, terminated = 0, False
    while not terminated:
        _, _, terminated, _, _ = single.step(push)
        steps += 1
    many.reset(seed=1)
    _, reward, terminated, truncated, _ = many.step(push)
    assert (float(reward), terminated, truncated) == (steps, True, False)


@pytest.mark.parametrize(
    ("name", "size", "action", "expected"),
    [
        ("CartPole-v1", 2, [0.1, 0.2], 1),
        ("CartPole-v1", 2, [0.3, 0.2], 0),
        ("MountainCar-v0", 1, [-1.0], 0),
        ("MountainCar-v0", 1, [0.0], 1),
        ("MountainCar-v0", 1, [1.0], 2),
        ("Pendulum-v1", 1, [0.5], [1.0]),
        ("Pendulum-v1", 1, [9.0], [2.0]),
        ("CarRacing-v3", 3, [-1.0, -1.0, 0.0], [-1.0, 0.0, 0.5]),
    ],
)
def test_actions_are_mapped(name: str, size: int, action: list[float], expected: Any) -> None:
    with headless():
        kind: ActionKind = "discrete" if name == "CartPole-v1" else "box"
        simulator = GymnasiumSimulator(GymnasiumPixels(id=name, action_size=size, actions=kind))
    translated = simulator.translate(np.array(action, np.float32))
    assert np.array_equal(translated, expected)
    assert simulator.inner.action_space.contains(translated)
    simulator.close()


def test_equal_parts() -> None:
    values = np.linspace(-1, 1, 3001)
    counts = np.bincount([equal_part(float(value), 3) for value in values])
    assert len(counts) == 3
    assert counts.max() - counts.min() <= 2
    assert equal_part(-7.0, 3) == 0
    assert equal_part(7.0, 3) == 2


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        (GymnasiumPixels(id="CartPolle-v1", action_size=2), r"Nearest: .*CartPole-v1"),
        (GymnasiumPixels(id="os:CartPole-v1", action_size=2), r"import a module.*env\.id=CartPole-v1"),
        (
            GymnasiumPixels(id="CartPole-v1", action_size=2),
            r"env\.actions=box env\.action_size=2 does not fit .* try env\.actions=discrete env\.action_size=2 or",
        ),
        (
            GymnasiumPixels(id="CartPole-v1", actions="discrete", action_size=3),
            r"env\.action_size=2 or env\.actions=box",
        ),
        (GymnasiumPixels(id="Pendulum-v1", action_size=2), r"try env\.actions=box env\.action_size=1$"),
        (GymnasiumPixels(id="Taxi-v4", action_size=2), r"env\.action_size=6 or env\.actions=box env\.action_size=1"),
        (GymnasiumPixels(id="CartPole-v1", actions="discrete", action_size=2, kwargs={"wheels": 4}), "wheels"),
    ],
)
def test_mistakes_are_explained(spec: GymnasiumPixels, says: str) -> None:
    with pytest.raises(UserError, match=says):
        spec.make()


def test_a_missing_picture_is_explained() -> None:
    env = GymnasiumPixels(id="CartPole-v1", actions="discrete", action_size=2, pixels="observation").make()
    with pytest.raises(UserError, match=r"array \(4,\) float32; try env\.pixels=render"):
        env.reset(seed=0)


def test_rows_that_are_not_there_are_explained() -> None:
    env = GymnasiumPixels(id="CartPole-v1", actions="discrete", action_size=2, skip_rows=300, keep_rows=200).make()
    with pytest.raises(UserError, match="400 rows of CartPole-v1"):
        env.reset(seed=0)
