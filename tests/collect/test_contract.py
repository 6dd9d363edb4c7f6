"""What every source of episodes must do, run over all of them."""

import numpy as np
import pytest
import torch

from tests.collect.toys import SOURCES, collect, setting
from wmframe.collect.contract import LANES, Source
from wmframe.collect.evolving import Evolving
from wmframe.data.seeds import draw_seeds


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest) -> Source:
    return SOURCES[request.param][0]


@pytest.fixture
def episodes(request: pytest.FixtureRequest) -> int:
    return SOURCES[request.node.callspec.params["source"]][1]


def test_it_yields_as_many_episodes_as_it_says(source: Source, episodes: int) -> None:
    with setting() as where:
        played = collect(source, where)
    assert sum(len(batch.seeds) for batch in played) == episodes
    assert all(len(batch.seeds) == len(batch.policies) <= LANES for batch in played)


def test_episodes_have_seeds_of_their_own_from_the_train_stream(source: Source, episodes: int) -> None:
    with setting() as where:
        seeds = [seed for batch in collect(source, where) for seed in batch.seeds]
    # Only candidates of an evolving population meet each other's seeds: P of them share R in each generation.
    assert len(set(seeds)) == (6 if isinstance(source, Evolving) else episodes)
    low, high = min(draw_seeds("train", (0,), 1)[0], 10**9), 2 * 10**9
    assert all(low <= seed < high for seed in seeds)


def test_equal_settings_are_equal_actions(source: Source) -> None:
    runs = []
    for _ in range(2):
        with setting() as where:
            runs.append(collect(source, where))
        torch.manual_seed(99)
        np.random.default_rng().random()
    for one, other in zip(*runs, strict=True):
        assert one.seeds == other.seeds
        assert torch.equal(one.actions, other.actions)
        assert np.array_equal(one.returns, other.returns)


@pytest.mark.parametrize("other", [{"seed": 1}, {"number": 3}])
def test_another_run_or_round_collects_something_else(source: Source, episodes: int, other: dict[str, int]) -> None:
    if episodes == 0:
        return
    with setting() as where, setting(**other) as elsewhere:  # type: ignore[arg-type]
        one, two = collect(source, where)[0], collect(source, elsewhere)[0]
    assert not set(one.seeds) & set(two.seeds)
    assert one.actions.shape != two.actions.shape or not torch.equal(one.actions, two.actions)


def test_actions_are_in_range_and_differ_between_episodes(source: Source) -> None:
    with setting() as where:
        for batch in collect(source, where):
            assert batch.actions.dtype == torch.float32
            assert batch.actions.abs().max() <= 1
            assert len({tuple(lane.flatten().tolist()) for lane in batch.actions.unbind(1)}) == len(batch.seeds)


def test_a_killed_collection_goes_on_where_it_stood(source: Source) -> None:
    with setting() as where:
        whole = collect(source, where)
    for done in range(1, len(whole)):
        with setting() as where:
            rest = collect(source, where, known=[batch.returns for batch in whole[:done]])
        assert len(rest) == len(whole) - done
        for one, other in zip(rest, whole[done:], strict=True):
            assert one.seeds == other.seeds
            assert torch.equal(one.actions, other.actions)
