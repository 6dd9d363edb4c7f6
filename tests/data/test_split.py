"""Held out is held out: by environment seed, everywhere alike, whatever later rounds bring."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wmframe.data.split import HELD_OUT, split

collections = st.lists(st.lists(st.integers(0, 40), min_size=1, max_size=60), min_size=1, max_size=4)


def seeds_of(numbers: list[int], recorded: list[list[int]]) -> set[int]:
    everyone = [seed for seeds in recorded for seed in seeds]
    return {everyone[number] for number in numbers}


@given(collections)
def test_no_track_is_on_both_sides_and_every_episode_on_one(recorded: list[list[int]]) -> None:
    fit_on, held_out = split(recorded)
    assert fit_on
    assert held_out
    if len({seed for seeds in recorded for seed in seeds}) == 1 or fit_on == held_out:
        return
    assert sorted(fit_on + held_out) == list(range(sum(map(len, recorded))))
    assert not seeds_of(fit_on, recorded) & seeds_of(held_out, recorded)


@given(collections)
def test_later_collections_change_nothing_for_earlier_ones(recorded: list[list[int]]) -> None:
    """V is fitted on the first, M on all: what V holds out M holds out too."""
    for shorter, longer in pairwise(recorded[: end + 1] for end in range(len(recorded))):
        fit_on, held_out = split(shorter)
        if fit_on == held_out:  # one track alone
            continue
        before = sum(map(len, shorter))
        assert [number for number in split(longer)[1] if number < before] == held_out


def test_a_tenth_is_held_out_though_episodes_share_their_tracks() -> None:
    """As of a population of 32 that meets two common tracks a generation, beside 16 tracks of random driving."""
    recorded = [[seed for seed in range(24) for _ in range(32)] + list(range(100, 116))]
    fit_on, held_out = split(recorded)
    assert HELD_OUT <= len(held_out) / len(recorded[0]) <= HELD_OUT + 32 / len(recorded[0])
    assert not seeds_of(fit_on, recorded) & seeds_of(held_out, recorded)


@pytest.mark.parametrize("episodes", [2, 9, 10, 11, 40])
def test_episodes_on_tracks_of_their_own(episodes: int) -> None:
    assert len(split([list(range(episodes))])[1]) == -(-episodes // 10)


def test_a_single_track_is_fitted_and_measured_on_until_there_is_a_second() -> None:
    assert split([[7, 7, 7]]) == ([0, 1, 2], [0, 1, 2])
    assert split([[7], [7], [8], [9]]) == ([0, 1, 3], [2])
