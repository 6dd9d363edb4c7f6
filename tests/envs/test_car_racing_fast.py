"""The fast renderer equals Gymnasium in every pixel of rows 0–83, every reward and every flag."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from wmframe.envs.headless import headless

with headless():
    from Box2D import b2
    from gymnasium.envs.box2d import car_dynamics
    from gymnasium.envs.box2d.car_racing import CarRacing as GymnasiumCarRacing

    from wmframe.envs import car_racing_fixtures
    from wmframe.envs.car_racing_fast import FastTrack

Driver = Callable[[Any, int, np.random.Generator], NDArray[np.float64]]


def careful(track: Any, step: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Follow the road: steer towards a tile some way ahead, keep a moderate speed."""
    x, y = track.car.hull.position
    middles = np.array(track.track)[:, 2:4]
    nearest = int(np.argmin(np.hypot(*(middles - (x, y)).T)))
    return towards(track, middles[(nearest + 5) % len(middles)])


def towards(track: Any, place: NDArray[np.float64]) -> NDArray[np.float64]:
    """The action that drives towards a place, at a moderate speed."""
    aim = place - tuple(track.car.hull.position)
    ahead, right = track.car.hull.GetWorldVector((0, 1)), track.car.hull.GetWorldVector((1, 0))
    turn = np.arctan2(np.dot(aim, right), np.dot(aim, ahead))
    speed = np.hypot(*track.car.hull.linearVelocity)
    return np.array([np.clip(turn, -1, 1), 0.4 if speed < 60 else 0.0, 0.2 if speed > 80 else 0.0])


def wild(track: Any, step: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Spin, skid and brake."""
    return np.array([rng.uniform(-1, 1), rng.uniform(0, 1), rng.choice([0.0, 0.0, 0.95])])


def runaway(track: Any, step: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Straight to the east, over the grass and the edge of the world."""
    return towards(track, np.array([1000.0, 0.0]))


def circles(track: Any, step: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Round and round, through every angle."""
    return np.array([0.8, 0.3, 0.0])


def parked(track: Any, step: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Stay: only the zoom moves."""
    return np.zeros(3)


DRIVERS: tuple[Driver, ...] = (careful, wild, runaway, circles, parked)


def drive_both(seed: int, driver: Driver, frames: int) -> dict[str, int]:
    """Drive both tracks alike, compare them after each frame, and count what was seen."""
    theirs, ours = GymnasiumCarRacing(), FastTrack()
    rng = np.random.default_rng(seed)
    observation, _ = theirs.reset(seed=seed)
    ours.reset(seed=seed)
    seen = {"frames": 0, "zooming": 0, "off road": 0, "edge": 0, "ended": 0}
    action = np.zeros(3)
    for step in range(frames):
        assert np.array_equal(np.asarray(ours.draw()), observation[:84]), (seed, driver.__name__, step)
        seen["frames"] += 1
        seen["zooming"] += theirs.t < 1
        assert theirs.car is not None
        seen["off road"] += not any(wheel.tiles for wheel in theirs.car.wheels)
        seen["edge"] += bool((observation[:84] == 0).all(axis=-1).sum() > 500)
        if driver is not wild or step % 8 == 0:
            action = driver(theirs, step, rng)
        observation, *theirs_said, _ = theirs.step(action)
        _, *ours_said, _ = ours.step(action)
        assert ours_said == theirs_said, (seed, driver.__name__, step)
        if theirs_said[1]:
            seen["ended"] += 1
            assert np.array_equal(np.asarray(ours.draw()), observation[:84])
            break
    return seen


def test_no_car_after_the_first_is_made_of_new_fixtures() -> None:
    """Box2D's Python never frees a fixture definition's shape."""
    track = FastTrack()
    track.reset(seed=1)
    made = car_racing_fixtures._fixture.cache_info().misses
    for seed in (2, 3):
        track.reset(seed=seed)
    assert car_racing_fixtures._fixture.cache_info().misses == made == 5  # four of the hull, one of all wheels
    names = vars(car_dynamics)
    assert names["fixtureDef"] is b2.fixtureDef, "Gymnasium's own names are its own again"
    assert names["polygonShape"] is b2.polygonShape


@pytest.mark.parametrize(("seed", "driver"), [(0, careful), (1, wild), (2, runaway)])
def test_equal_to_gymnasium_for_a_while(seed: int, driver: Driver) -> None:
    assert drive_both(seed, driver, 100)["zooming"] >= 49


@pytest.mark.slow
def test_equal_to_gymnasium_over_thousands_of_frames() -> None:
    total: dict[str, int] = {}
    for seed in range(20):
        driver = DRIVERS[seed % len(DRIVERS)]
        frames = 70 if driver is parked else 360
        for key, count in drive_both(100 + seed, driver, frames).items():
            total[key] = total.get(key, 0) + count
    assert total["frames"] >= 5000
    assert total["zooming"] >= 900
    assert total["off road"] >= 500
    assert total["edge"] >= 20, "the black beyond the playfield was never in the picture"
    assert total["ended"] >= 2


def test_one_track_after_another() -> None:
    """Nothing of the last track is drawn into the next: colours, polygons and car are gathered anew."""
    theirs, ours = GymnasiumCarRacing(), FastTrack()
    for seed in (4, 5, 4):
        observation, _ = theirs.reset(seed=seed)
        ours.reset(seed=seed)
        for _ in range(10):
            assert np.array_equal(np.asarray(ours.draw()), observation[:84])
            observation, *_ = theirs.step(np.array([0.0, 1.0, 0.0]))
            ours.step(np.array([0.0, 1.0, 0.0]))
