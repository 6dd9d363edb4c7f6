"""EnvPool's track: the game that Gymnasium's is, the paper's view of it, and what is said where it is not installed."""

import os
import sys

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.envs.specs import ENVPOOL, held, needs_envpool
from wmframe.engine.errors import UserError
from wmframe.envs.batch import SerialBatch, make_batch
from wmframe.envs.car_racing import KEPT_ROWS, CarRacing
from wmframe.envs.car_racing_pool import PoolBatch, PoolEnv, mean, open_pool, shrink

POOL = CarRacing(renderer="envpool")
ROAD, GRASS = (102, 102, 102), (102, 204, 102)


def pillow(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What the other renderers do to rows 0–83 of one picture."""
    image = Image.fromarray(np.ascontiguousarray(picture[:KEPT_ROWS]))
    return np.asarray(image.resize((64, 64), Image.Resampling.BOX))


def test_all_lanes_are_resized_as_pillow_resizes_one() -> None:
    chance = np.random.default_rng(0)
    noise = chance.integers(0, 256, (5, 96, 96, 3), np.uint8)
    hard = chance.choice(np.array([0, 1, 254, 255], np.uint8), (5, 96, 96, 3))
    for pictures in (noise, hard, np.full((2, 96, 96, 3), 255, np.uint8)):
        assert np.array_equal(shrink(pictures), np.stack([pillow(picture) for picture in pictures]))
    assert shrink(np.zeros((0, 96, 96, 3), np.uint8)).shape == (0, 64, 64, 3)


def test_the_mean_of_two_bytes_is_rounded_up_and_never_overflows() -> None:
    one, other = np.meshgrid(np.arange(256), np.arange(256))
    assert np.array_equal(mean(one.astype(np.uint8), other.astype(np.uint8)), (one + other + 1) // 2)


@pytest.mark.skipif(ENVPOOL, reason="EnvPool is installed")
def test_without_envpool_the_spec_stands_and_says_what_to_type() -> None:
    """Scores and films of what was learnt with EnvPool need none of it."""
    assert POOL.reference().make() is not None
    for needed in (POOL.check, POOL.make, lambda: POOL.backend, lambda: make_batch(POOL, 2)):
        with pytest.raises(UserError, match=r"pip install 'envpool>=1\.2\.5,<2'.*env\.renderer=fast"):
            needed()


@needs_envpool
def test_an_envpool_that_does_not_load_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "envpool", None)  # which is how Python marks what can't be imported
    with pytest.raises(UserError, match=r"envpool .* does not load .*env\.renderer=fast"):
        POOL.check()


def test_scores_are_gymnasiums() -> None:
    assert POOL.reference() == CarRacing(renderer="checked")
    assert "scored on Gymnasium" in POOL.caveat
    assert CarRacing().caveat == CarRacing(renderer="reference").caveat == ""


@needs_envpool
def test_it_is_chosen_checked_and_named() -> None:
    POOL.check()
    assert POOL.backend.startswith("envpool-1.")
    assert POOL.backend.endswith("/CarRacing-v3")
    assert isinstance(POOL.make(), PoolEnv)
    for workers in (0, 1, 2):
        with make_batch(POOL, workers) as batch:
            assert isinstance(batch, PoolBatch)


@needs_envpool
def test_a_lane_does_not_see_the_others() -> None:
    """Alone, among ten, with other threads: the same bits, though others end or start anew around it."""
    spec = CarRacing(renderer="envpool", action_repeat=5, max_frames=200)

    def drive(seeds: list[int], lane: int, threads: int) -> list[tuple[bytes, float, bool]]:
        with PoolBatch(spec, threads) as batch:
            batch.reset([7, 8])
            batch.reset(seeds)
            acts = [held(number, 3, frames=2) for number in range(len(seeds))]
            acts[lane] = held(100, 3, frames=2)
            steps = [batch.step(np.stack([act(step) for act in acts])) for step in range(30)]
        return [(step.frames[lane].tobytes(), float(step.rewards[lane]), bool(step.over[lane])) for step in steps]

    alone = drive([3], 0, 1)
    for seeds, lane, threads in (([*range(9), 3], 9, 2), ([3, 3, 3], 1, 3), ([5, 3, 6, 9], 1, 1)):
        assert drive(seeds, lane, threads) == alone
    assert len({reward for _, reward, _ in alone}) > 5


@needs_envpool
def test_episodes_equal_those_of_single_lanes_to_their_ends() -> None:
    """Lanes that end at different times, within a repeat too, against as many pools of one."""
    spec = CarRacing(renderer="envpool", action_repeat=7, max_frames=330)
    act = np.array([[0, 0, -1], [0, -0.3, -1], [0.5, 0, 0.5], [0, -1, -1]], np.float32)
    with PoolBatch(spec, 2) as pool, SerialBatch(spec) as single:
        assert np.array_equal(pool.reset([1, 2, 3, 4]), single.reset([1, 2, 3, 4]))
        for _ in range(spec.most_steps):
            one, other = pool.step(act), single.step(act)
            assert np.array_equal(one.frames, other.frames)
            assert np.array_equal(one.rewards, other.rewards)
            assert np.array_equal(one.terminated, other.terminated)
            assert np.array_equal(one.truncated, other.truncated)
    assert one.over.all()
    assert one.terminated.any()
    assert one.truncated.any()


@needs_envpool
def test_every_seed_of_the_house_names_a_track_of_its_own() -> None:
    """Seeds reach three billion, EnvPool's own are signed."""
    seeds = [0, 1, 2**31 - 1, 2**31, 2_999_999_999, 2**32 - 1]
    with PoolBatch(POOL, 2) as batch:
        frames = batch.reset(seeds)
        assert len({frame.tobytes() for frame in frames}) == len(seeds)
        for wrong in ([-1], [1, 2**32]):
            with pytest.raises(ValueError, match="32 bits"):
                batch.reset(wrong)


@needs_envpool
def test_a_pools_threads_end_with_it() -> None:
    def threads() -> int:
        return len(os.listdir("/proc/self/task"))

    POOL.check()
    before = threads()
    with PoolBatch(POOL, 3) as batch:
        batch.reset([1, 2, 3])
        working = threads()
        assert working > before
        for _ in range(3):
            batch.reset([1, 2, 3])
            assert threads() == working
    assert threads() == before


@needs_envpool
def test_the_panel_is_cut_off_and_the_colours_are_gymnasiums() -> None:
    pool = open_pool([4], 1)
    picture = pool.reset()[0]
    for _ in range(60):  # until the camera has come down
        picture, *_ = pool.step(np.zeros((1, 3), np.float32))
    assert (picture[0, KEPT_ROWS:] == 0).all(axis=-1).mean() > 0.8, "there is no panel"
    frame = shrink(picture)[0]
    assert np.abs(frame[50:, 20:44].reshape(-1, 3) - np.array(ROAD)).max(axis=1).min() <= 8
    assert np.abs(frame.reshape(-1, 3) - np.array(GRASS)).max(axis=1).min() == 0
    assert (frame == 0).all(axis=-1).mean() < 0.05
    red = (frame[..., 0] > 150) & (frame[..., 1] < 80) & (frame[..., 2] < 80)
    assert 3 <= red.sum() <= 60, "the car is red, with red and blue in their places"


def road(frame: NDArray[np.uint8]) -> float:
    """The middle column of the road ahead; 0 if there is none."""
    grey = np.abs(frame[:44].astype(int) - ROAD).max(axis=-1) <= 8
    return float(np.flatnonzero(grey.any(axis=0)).sum() / max(grey.any(axis=0).sum(), 1))


@needs_envpool
@pytest.mark.parametrize("renderer", ["fast", "envpool"])
def test_the_car_turns_the_same_way(renderer: str) -> None:
    """After a turn to the left the road lies to the right."""
    spec = CarRacing(renderer=renderer, action_repeat=20)  # type: ignore[arg-type]
    ahead = []
    with make_batch(spec, 1) as batch:
        for steer in (-0.4, 0.4):
            batch.reset(range(5))
            for turn in (0.0, 0.0, 0.0, steer):
                step = batch.step(np.tile(np.array([turn, -0.4, -1.0], np.float32), (5, 1)))
            ahead.append(np.mean([road(frame) for frame in step.frames]))
    assert ahead[0] - ahead[1] > 20


@needs_envpool
def test_gas_earns_what_it_earns_with_gymnasium() -> None:
    """Eight tracks, 80 frames straight on at a gas of 0.3: other tracks, the same game."""
    returns = []
    for renderer in ("fast", "envpool"):
        with make_batch(CarRacing(renderer=renderer, action_repeat=80), 1) as batch:
            batch.reset(range(8))
            returns.append(batch.step(np.tile(np.array([0.0, -0.4, -1.0], np.float32), (8, 1))).rewards.mean())
    assert returns[0] == pytest.approx(returns[1], abs=8)
    assert returns[1] > 25


@needs_envpool
def test_leaving_the_playfield_costs_100_and_is_a_true_end() -> None:
    with make_batch(CarRacing(renderer="envpool", action_repeat=8), 1) as batch:
        batch.reset([0])
        step = batch.step(np.zeros((1, 3), np.float32))
        while not step.over[0]:
            step = batch.step(np.array([[0.0, 0.0, -1.0]], np.float32))
    assert step.terminated[0]
    assert not step.truncated[0]
    assert step.rewards[0] < -90
