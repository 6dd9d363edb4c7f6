"""The toy's optimum is what it says it is."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wmframe.engine.errors import UserError
from wmframe.envs.pixel_env import PixelEnv
from wmframe.envs.spec import Frame
from wmframe.envs.toy import Toy, ToySimulator
from wmframe.frames import FRAME_SHAPE


def rollout(inside: ToySimulator, seed: int, gain: float, noise: float, rng: np.random.Generator) -> tuple[float, bool]:
    """The return of walking towards the target with some gain and noise, and whether the walker fell off."""
    env = PixelEnv(inside.toy, inside)
    env.reset(seed=seed)
    total, terminated, truncated = 0.0, False, False
    while not (terminated or truncated):
        wish = gain * (inside.target - inside.walker) / inside.toy.stride + noise * rng.uniform(-1, 1)
        _, reward, terminated, truncated, _ = env.step(np.array([np.clip(wish, -1, 1)], np.float32))
        total += float(reward)
    return total, terminated


class Unseen(ToySimulator):
    """The toy without its pictures, to try many policies in little time."""

    def frame(self) -> Frame:
        return np.zeros(FRAME_SHAPE, np.uint8)


@pytest.mark.parametrize("repeat", [1, 2, 3, 4, 8])
def test_an_oracle_reaches_the_optimum(repeat: int) -> None:
    spec = Toy(action_repeat=repeat)
    for seed in range(100):
        reached, fell = rollout(ToySimulator(spec), seed, 1.0, 0.0, np.random.default_rng(0))
        assert abs(reached - spec.optimal_return(seed)) < 1e-6
        assert not fell


@settings(deadline=None, max_examples=150)
@given(
    seed=st.integers(0, 2**31),
    gain=st.floats(-2, 4),
    noise=st.floats(0, 2),
    repeat=st.integers(1, 5),
    speed=st.floats(0.02, 0.16),
)
def test_nothing_exceeds_the_optimum(seed: int, gain: float, noise: float, repeat: int, speed: float) -> None:
    spec = Toy(action_repeat=repeat, speed=speed, max_frames=20)
    rng = np.random.default_rng(seed)
    for _ in range(10):
        assert rollout(Unseen(spec), seed, gain, noise, rng)[0] <= spec.optimal_return(seed) + 1e-6


def test_random_walks_are_far_from_it_and_sometimes_fall() -> None:
    spec = Toy()
    runs = [rollout(Unseen(spec), seed, 0.0, 1.0, np.random.default_rng(seed)) for seed in range(200)]
    best = np.mean([spec.optimal_return(seed) for seed in range(200)])
    assert 0.02 * best < np.mean([total for total, _ in runs]) < 0.35 * best
    assert 0.05 < np.mean([fell for _, fell in runs]) < 0.5


def test_standing_still_is_not_enough() -> None:
    spec, rng = Toy(), np.random.default_rng(0)
    share = [rollout(Unseen(spec), s, 0.0, 0.0, rng)[0] / spec.optimal_return(s) for s in range(200)]
    assert np.mean(share) < 0.35


def test_walking_off_the_edge_ends_the_episode() -> None:
    env = Toy().make()
    env.reset(seed=1)
    flags = [env.step(np.ones(1, np.float32))[2:4] for _ in range(20)]
    assert flags[0] == (False, False)
    assert (True, False) in flags


def test_the_frame_shows_both_places() -> None:
    simulator = ToySimulator(Toy())
    for seed in range(20):
        simulator.begin(seed)
        frame = simulator.frame()
        columns = frame.sum(axis=0, dtype=np.int64)
        walker, target = (columns[:, channel].argmax() / 32 - 1 for channel in (0, 2))
        assert abs(walker - simulator.walker) < 0.05
        assert abs(target - simulator.target) < 0.05
        assert (frame[:, :, 1] == frame[0, 0, 1]).all(), "green is ground alone"


def test_one_stride_longer_than_the_way_is_refused() -> None:
    with pytest.raises(UserError, match=r"try env\.speed=0\.08"):
        Toy(action_repeat=10)


def test_the_toy_is_fast() -> None:
    env = Toy().make()
    env.reset(seed=0)
    action = np.zeros(1, np.float32)
    best = 0.0
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(200):
            env.step(action)
        best = max(best, 200 / (time.perf_counter() - start))
    assert best > 2000
