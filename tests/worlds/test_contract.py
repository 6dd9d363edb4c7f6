"""What every world must do: dream and reality through one suite."""

import itertools

import pytest
import torch

from tests.worlds.toys import FRAMES, WORLDS, A, Make, act, lane, live
from wmframe.worlds.contract import World
from wmframe.worlds.rollout import rollout

SEEDS = [10**9 + 5, 3, 0, 2**32 - 1, 77, 1234, 8]


@pytest.fixture(params=WORLDS)
def make(request: pytest.FixtureRequest) -> Make:
    return WORLDS[request.param]


@pytest.fixture
def world(make: Make) -> World:
    return make()


@pytest.mark.parametrize("lanes", [1, 7])
def test_shapes_and_types(world: World, lanes: int) -> None:
    assert world.action_size == A
    assert world.lanes >= 1
    for step in live(world, SEEDS[:lanes])[1:]:
        assert step.features.shape == (lanes, world.feature_size)
        assert step.reward.shape == step.done.shape == (lanes,)
        assert step.features.dtype == step.reward.dtype == torch.float32
        assert step.done.dtype == torch.bool
        assert torch.isfinite(step.features).all()
        assert torch.isfinite(step.reward).all()


def test_equal_seeds_are_equal_episodes_whatever_was_before(world: World, make: Make) -> None:
    first = live(world, SEEDS)
    live(world, [99, 98, 97])
    torch.manual_seed(123)
    again, anew = live(world, SEEDS), live(make(), SEEDS)
    for number in range(len(SEEDS)):
        assert lane(first, number) == lane(again, number) == lane(anew, number)


def test_other_seeds_are_other_episodes(world: World) -> None:
    steps = live(world, SEEDS)
    assert len({tuple(row) for row in steps[0].features.tolist()}) == len(SEEDS)


def test_the_same_seed_in_many_lanes_is_the_same_episode(world: World) -> None:
    steps = live(world, [3, 0, 3, 3])
    assert lane(steps, 0) == lane(steps, 2) == lane(steps, 3)
    assert lane(steps, 0) != lane(steps, 1)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_lane_is_bit_for_bit_the_same_alone_in_any_order_and_beside_any_others(
    world: World, make: Make, threads: int
) -> None:
    together = live(world, SEEDS)
    torch.set_num_threads(threads)
    order = [4, 2, 6, 0, 5, 1, 3]
    permuted = live(make(), [SEEDS[number] for number in order])
    crowd = live(make(), [*SEEDS, *range(500, 570)])
    for place, number in enumerate(order):
        alone = live(make(), [SEEDS[number]])
        assert lane(alone, 0) == lane(together, number) == lane(permuted, place) == lane(crowd, number)


def test_what_one_lane_does_leaves_the_others_alone(world: World) -> None:
    before = live(world, SEEDS)

    def first_one_differs(features: torch.Tensor) -> torch.Tensor:
        actions = act(features)
        actions[0] = -actions[0]
        return actions

    after = live(world, SEEDS, drive=first_one_differs)
    assert lane(before, 0) != lane(after, 0)
    for number in range(1, len(SEEDS)):
        assert lane(before, number) == lane(after, number)


def test_a_lane_that_is_done_stays_done_and_is_paid_nothing(world: World) -> None:
    steps = live(world, SEEDS, beyond=4)
    assert steps[1].reward.abs().max() > 0
    for before, after in itertools.pairwise(steps):
        assert (after.done | ~before.done).all()
        assert (after.reward[before.done] == 0).all()
    assert all(bool(step.done.all()) for step in steps[-4:])


def test_what_a_step_returned_stays_as_it_was(world: World) -> None:
    features = world.reset(SEEDS).features
    step = world.step(act(features))
    kept = [part.clone() for part in (step.reward, step.done)]
    actions = act(features)
    for _ in range(3):
        world.step(actions)
    assert all(map(torch.equal, kept, (step.reward, step.done)))


def test_a_rollout_ends_and_adds_up_what_was_paid(world: World) -> None:
    steps = live(world, SEEDS)
    outcome = rollout(world, act, SEEDS)
    assert outcome.lengths.max() <= FRAMES
    for number in range(len(SEEDS)):
        rows = lane(steps, number)
        assert outcome.lengths[number] == len(rows) - 1
        assert outcome.returns[number] == pytest.approx(sum(reward for _, reward, _ in rows))
