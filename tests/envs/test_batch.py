"""One contract for all batches, and all give the same."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.envs.specs import held
from wmframe.engine.errors import UserError
from wmframe.envs.batch import BatchStep, EnvBatch, SerialBatch
from wmframe.envs.car_racing import CarRacing
from wmframe.envs.pixel_env import PixelEnv
from wmframe.envs.process_batch import ProcessBatch, make_batch
from wmframe.envs.spec import EnvSpec
from wmframe.envs.toy import Toy, ToySimulator

SPEC = Toy(max_frames=12)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A batch, and an episode in it: acting like `fall` ends it truly, like `stand` by the time limit."""

    spec: EnvSpec
    workers: int
    seed: int
    fall: list[float]
    stand: list[float]


EDGE = next(seed for seed in range(100) if SPEC.start(seed)[0] > 0.4)
KINDS = [
    pytest.param(Kind(spec=SPEC, workers=1, seed=EDGE, fall=[1.0], stand=[0.0]), id="serial"),
    pytest.param(Kind(spec=SPEC, workers=2, seed=EDGE, fall=[1.0], stand=[0.0]), id="processes"),
]


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    chosen: Kind = request.param
    return chosen


@pytest.fixture(scope="module")
def batch(kind: Kind) -> Iterator[EnvBatch]:
    with make_batch(kind.spec, kind.workers) as opened:
        yield opened


def actions(lanes: int, step: int, spec: EnvSpec) -> NDArray[np.float32]:
    """What each lane does: a function of the lane and the step."""
    rows = [held(lane, spec.action_size, frames=3)(step) for lane in range(lanes)]
    return np.array(rows, np.float32).reshape(lanes, spec.action_size)


def episode(batch: EnvBatch, seeds: list[int], steps: int) -> list[BatchStep]:
    """Some steps of a batch, after its reset."""
    batch.reset(seeds)
    return [batch.step(actions(len(seeds), step, batch.spec)) for step in range(steps)]


def test_make_batch_picks() -> None:
    for workers, kind in ((0, SerialBatch), (1, SerialBatch), (2, ProcessBatch)):
        with make_batch(SPEC, workers) as made:
            assert isinstance(made, kind)


@pytest.mark.parametrize("lanes", [0, 1, 2, 3, 7])
def test_any_number_of_lanes(batch: EnvBatch, lanes: int) -> None:
    frames = batch.reset(range(lanes))
    assert frames.shape == (lanes, 64, 64, 3)
    step = batch.step(actions(lanes, 0, batch.spec))
    for array, shape, kind in (
        (step.frames, (lanes, 64, 64, 3), np.uint8),
        (step.rewards, (lanes,), np.float32),
        (step.terminated, (lanes,), np.bool_),
        (step.truncated, (lanes,), np.bool_),
    ):
        assert array.shape == shape
        assert array.dtype == kind


def test_each_lane_is_an_environment_of_its_own(batch: EnvBatch) -> None:
    seeds = [11, 5, 5, 8, 2]
    first = batch.reset(seeds)
    steps = [batch.step(actions(5, step, batch.spec)) for step in range(8)]
    for lane, seed in enumerate(seeds):
        env = batch.spec.make()
        frame, _ = env.reset(seed=seed)
        assert np.array_equal(first[lane], frame)
        for number, step in enumerate(steps):
            frame, reward, terminated, truncated, _ = env.step(actions(5, number, batch.spec)[lane])
            assert np.array_equal(step.frames[lane], frame)
            assert step.rewards[lane] == np.float32(float(reward))
            assert (step.terminated[lane], step.truncated[lane]) == (terminated, truncated)
            if terminated or truncated:
                break


def test_a_lane_that_is_over_stays_still(batch: EnvBatch, kind: Kind) -> None:
    """Lane 0 truly ends, lane 1 stands and runs into the time limit."""
    batch.reset([kind.seed, kind.seed])
    limit = kind.spec.most_steps
    steps = [batch.step(np.array([kind.fall, kind.stand], np.float32)) for _ in range(limit + 3)]
    fallen = next(number for number, step in enumerate(steps) if step.terminated[0])
    assert fallen < limit - 1
    for step in steps[fallen + 1 :]:
        assert step.rewards[0] == 0.0
        assert step.terminated[0]
        assert not step.truncated[0]
        assert np.array_equal(step.frames[0], steps[fallen].frames[0])
    assert [bool(step.truncated[1]) for step in steps] == [False] * (limit - 1) + [True] * 4
    assert not any(step.terminated[1] for step in steps)
    assert [float(step.rewards[1]) != 0 for step in steps] == [True] * limit + [False] * 3
    assert steps[-1].over.all()


def test_a_reset_forgets_what_was_before(batch: EnvBatch) -> None:
    alone = episode(batch, [3, 4], 6)
    episode(batch, [9, 9, 9, 9, 9], 14)
    again = episode(batch, [3, 4], 6)
    for one, other in zip(alone, again, strict=True):
        assert same(one, other)


def test_answers_belong_to_the_caller(batch: EnvBatch) -> None:
    honest = episode(batch, [3, 4], 3)
    first = batch.reset([3, 4])
    first[:] = 0
    for number in range(3):
        step = batch.step(actions(2, number, batch.spec))
        assert same(step, honest[number])
        step.frames[:] = 0
        step.terminated[:] = True


def test_actions_of_another_shape_are_refused(batch: EnvBatch) -> None:
    batch.reset([1, 2])
    size = batch.spec.action_size
    for shape in ((2,), (1, size), (3, size), (2, size + 1)):
        with pytest.raises(ValueError, match="shape"):
            batch.step(np.zeros(shape, np.float32))


def same(one: BatchStep, other: BatchStep) -> bool:
    """Whether two steps are equal in every bit."""
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("frames", "rewards", "terminated", "truncated")
    )


@pytest.mark.parametrize(
    "spec",
    [
        Toy(action_repeat=2),
        CarRacing(action_repeat=4, max_frames=60),
    ],
    ids=["toy", "car"],
)
def test_workers_change_nothing(spec: EnvSpec) -> None:
    with make_batch(spec, 1) as serial, make_batch(spec, 2) as spread:
        for seeds in ([4, 2, 9], [1]):
            for one, other in zip(episode(serial, seeds, 17), episode(spread, seeds, 17), strict=True):
                assert same(one, other)


@dataclass(frozen=True, kw_only=True)
class Odd(Toy):
    """A toy whose third step is not what a step should be."""

    frame: tuple[int, ...] = (64, 64, 3)
    reward: float = 1.0

    def make(self) -> PixelEnv:
        return PixelEnv(self, OddSimulator(self))


class OddSimulator(ToySimulator):
    def __init__(self, odd: Odd) -> None:
        super().__init__(odd)
        self.odd = odd
        self.frames = 0

    def advance(self, action: NDArray[np.float32]) -> tuple[float, bool, bool]:
        self.frames += 1
        reward, terminated, truncated = super().advance(action)
        return self.odd.reward if self.frames == 3 else reward, terminated, truncated

    def frame(self) -> NDArray[np.uint8]:
        return np.zeros(self.odd.frame, np.uint8) if self.frames == 3 else super().frame()


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (Odd(frame=(64, 64, 1)), r"Odd, seed 5: a frame is \(64, 64, 1\) uint8, not \(64, 64, 3\) uint8"),
        (Odd(frame=(3,)), r"a frame is \(3,\)"),
        (Odd(reward=float("nan")), "Odd, seed 5: a reward is nan"),
        (Odd(reward=float("inf")), "a reward is inf"),
    ],
)
def test_what_would_spoil_the_data_is_refused(spec: Odd, said: str) -> None:
    """NumPy would spread a smaller frame over the whole one without a word."""
    with SerialBatch(spec) as batch:
        batch.reset([5])
        for _ in range(2):
            batch.step(np.zeros((1, 1), np.float32))
        with pytest.raises(UserError, match=said) as caught:
            batch.step(np.zeros((1, 1), np.float32))
    assert caught.value.exit_code == 1
