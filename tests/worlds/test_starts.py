from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.worlds.toys import H, Z, data, memory, recorded, start_states
from wmframe.data.emphasis import EVENLY, Emphasis
from wmframe.data.latents import EncodedEpisodes, LatentData
from wmframe.engine.errors import UserError
from wmframe.worlds.starts import StartStates, fresh_starts, warmed_starts


def same(one: StartStates, other: StartStates) -> bool:
    ours, theirs = ({"mu": each.mu, "logvar": each.logvar, **each.packed} for each in (one, other))
    return list(ours) == list(theirs) and all(torch.equal(ours[name], theirs[name]) for name in ours)


def warmed(
    of: LatentData,
    *,
    count: int = 40,
    seed: int = 0,
    skip: int = 0,
    emphasis: Emphasis = EVENLY,
    start_pay: float | None = None,
) -> StartStates:
    return warmed_starts(memory(), of, count=count, seed=seed, skip=skip, emphasis=emphasis, start_pay=start_pay)


def places(starts: StartStates, of: LatentData) -> list[tuple[int, int]]:
    """Each start's (folder, row), known by its mu."""
    found = []
    for mu in starts.mu:
        for number, folder in enumerate(of.folders):
            rows = (torch.from_numpy(folder.mu).float() == mu).all(1).nonzero().flatten().tolist()
            found += [(number, row) for row in rows]
    return found


@pytest.mark.parametrize("starts", [start_states(), fresh_starts(memory(), data(), count=3, seed=0)])
def test_saved_states_come_back(tmp_path: Path, starts: StartStates) -> None:
    starts.save(tmp_path / "starts.safetensors")
    loaded = StartStates.load(tmp_path / "starts.safetensors", memory())
    assert same(loaded, starts)


def test_fresh_dreams_begin_with_first_frames_and_an_empty_memory() -> None:
    of = data()
    starts = fresh_starts(memory(), of, count=30, seed=0)
    assert {row for _, row in places(starts, of)} == {episode.start for episode in of.episodes}
    assert starts.mu.shape == starts.logvar.shape == (30, Z)
    for kept in starts.packed.values():
        assert kept.shape == (30, H)
        assert not kept.any()


def test_draws_are_a_function_of_the_seed() -> None:
    draws: list[Callable[[int], StartStates]] = [
        lambda seed: warmed(data(), seed=seed),
        lambda seed: fresh_starts(memory(), data(), count=9, seed=seed),
    ]
    for draw in draws:
        assert same(draw(3), draw(3))
        assert not torch.equal(draw(3).mu, draw(4).mu)


@pytest.mark.parametrize("skip", [0, 3, 8])
def test_warmed_starts_lie_anywhere_a_step_follows_but_for_the_skipped(skip: int) -> None:
    of = data()
    starts = warmed(of, count=200, skip=skip)
    found = {row for _, row in places(starts, of)}
    allowed = {row for e in of.episodes for row in range(e.start + skip, e.stop - 1)}
    assert found == allowed
    assert starts.mu.shape == (200, Z)
    assert starts.mu.dtype == starts.packed["h"].dtype == torch.float32


def test_the_first_frame_of_an_episode_has_an_empty_memory_and_no_other() -> None:
    of = data()
    starts = warmed(of, count=100)
    first = {episode.start for episode in of.episodes}
    for (_, row), h in zip(places(starts, of), starts.packed["h"], strict=True):
        assert bool((h == 0).all()) is (row in first)


def test_later_rounds_have_their_share() -> None:
    of = LatentData([recorded([90]), recorded([4], seed=5), recorded([8], seed=6)])
    found = Counter(folder for folder, _ in places(warmed(of, count=60, emphasis=Emphasis(later_share=0.5)), of))
    assert found.total() == 60
    assert 30 <= found[1] + found[2] <= 42
    assert found[2] > found[1] > 0
    assert all(folder > 0 for folder, _ in places(warmed(of, count=60, emphasis=Emphasis(later_share=1.0)), of))


def test_the_newest_round_has_most_of_the_later_starts() -> None:
    of = LatentData([recorded([90]), recorded([40], seed=5), recorded([40], seed=6)])
    emphasis = Emphasis(later_share=1.0, recency=0.25)
    found = Counter(folder for folder, _ in places(warmed(of, count=200, emphasis=emphasis), of))
    assert found[2] / found.total() == pytest.approx(0.8, abs=0.08)


def paid(length: int, rewards: list[float], *, seed: int = 0) -> EncodedEpisodes:
    """One recorded episode that was paid so; nothing for its last frame."""
    made = recorded([length], seed=seed)
    made.rewards[:] = [*rewards, 0.0]
    return made


def test_with_a_start_pay_dreams_start_where_the_fifteen_steps_before_were_paid_so_much() -> None:
    lost, found = 20, 40
    of = LatentData([paid(60, [1.0] * lost + [-0.5] * (found - lost) + [1.0] * 20)])
    started = {row for _, row in places(warmed(of, count=600, skip=2, start_pay=0.25), of)}
    # k of 15 steps are lost ones: 15 - k - k/2 >= 15/4 while k <= 7
    assert started == {*range(2, lost + 8), *range(found + 8, 60)}
    assert {row for _, row in places(warmed(of, count=600, skip=2), of)} == set(range(2, 60))


def test_episodes_where_it_never_went_well_are_left_out_and_of_later_rounds_the_share_is_kept() -> None:
    well, badly = paid(30, [1.0] * 30), paid(30, [-1.0] * 30, seed=7)
    of = LatentData([badly, well, paid(30, [-1.0] * 30, seed=8)])
    starts = warmed(of, count=60, skip=1, emphasis=Emphasis(later_share=0.5), start_pay=0.0)
    assert Counter(folder for folder, _ in places(starts, of)) == {1: 60}


def test_a_pay_that_nobody_earned_is_refused_with_the_key() -> None:
    with pytest.raises(UserError, match=r"start_pay=99: nowhere were 15 recorded steps paid that much each"):
        warmed(data(), skip=1, start_pay=99.0)


def test_too_much_to_skip_is_refused_with_the_key() -> None:
    with pytest.raises(UserError, match=r"world\.skip=9: no recorded episode is longer"):
        warmed(data(), skip=9)
