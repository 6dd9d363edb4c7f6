import numpy as np
import numpy.typing as npt
import pytest
import torch

from tests.data.test_latents import encoded
from wmframe.data.emphasis import EVENLY, Emphasis
from wmframe.data.latents import EncodedEpisodes, LatentData
from wmframe.data.windows import Window, Windows, windows_showing


def data() -> LatentData:
    return LatentData([encoded([30, 4, 9]), encoded([20, 12], seed=1)])


def drawn(start: int, stop: int, *, emphasis: Emphasis = EVENLY, seed: int = 0, length: int = 6) -> list[Window]:
    windows = Windows(
        data(), range(5), batch_size=16, length=length, seed=seed, start=start, stop=stop, emphasis=emphasis
    )
    return list(windows)


def test_any_step_on_it_is_the_rest_of_an_uninterrupted_fit() -> None:
    whole = drawn(0, 6, emphasis=Emphasis(later_share=0.5))
    for start in range(7):
        rest = drawn(start, 6, emphasis=Emphasis(later_share=0.5))
        assert len(rest) == 6 - start
        for one, other in zip(rest, whole[start:], strict=True):
            assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    assert not torch.equal(whole[0].mu, whole[1].mu)
    assert not torch.equal(whole[0].mu, drawn(0, 1, emphasis=Emphasis(later_share=0.5), seed=1)[0].mu)


def test_shapes_and_types() -> None:
    batch = drawn(0, 1)[0]
    shapes = [(16, 7, 2), (16, 7, 2), (16, 6, 1), *[(16, 6)] * 5]
    assert [tuple(part.shape) for part in batch] == shapes
    assert {part.dtype for part in batch} == {torch.float32}


def test_actions_and_rewards_stand_beside_the_frame_they_were_done_at() -> None:
    folders = data().folders
    for batch in drawn(0, 20):
        for lane in range(16):
            steps = int((batch.mask[lane] > 0).sum())
            row = int(batch.mu[lane, 0, 0])
            # mu is its row's number; the two folders are told apart by their logvar.
            folder = next(f for f in folders if np.array_equal(f.logvar[row].astype("f4"), batch.logvar[lane, 0]))
            assert batch.mu[lane, : steps + 1, 0].tolist() == list(range(row, row + steps + 1))
            for name, count in (("logvar", steps + 1), ("actions", steps), ("rewards", steps), ("done", steps)):
                expected = getattr(folder, name)[row : row + count].astype(np.float32)
                np.testing.assert_array_equal(getattr(batch, name)[lane, :count].numpy(), expected)


@pytest.mark.parametrize("value_steps", [1, 3, 5])
def test_ahead_is_what_the_next_steps_paid_and_known_where_the_limit_leaves_that_many(value_steps: int) -> None:
    """An episode that truly ended pays nothing more, up to the limit; of one cut off, the last steps are not known."""
    both = encoded([8, 7], latent=1, limits=[8, 10])
    both.done[: both.starts[1]] = 0
    windows = Windows(
        LatentData([both]), range(2), batch_size=8, length=5, seed=0, start=0, stop=9, value_steps=value_steps
    )
    known = []
    for batch in windows:
        for lane in range(8):
            row = int(batch.mu[lane, 0, 0])
            episode = int(row >= both.starts[1])
            last = int(both.starts[episode + 1]) - 1
            for step in range(int((batch.mask[lane] > 0).sum())):
                now = row + step
                expected = both.rewards[now + 1 : min(now + 1 + value_steps, last)].sum()
                assert batch.ahead[lane, step] == expected
                complete = now - int(both.starts[episode]) + value_steps < both.limits[episode]
                assert bool(batch.ahead_mask[lane, step]) == complete
                known.append(bool(complete))
    assert set(known) == {True, False}


def test_rewards_ahead_are_clipped_as_those_in_a_dream_are() -> None:
    one = encoded([8], limits=[20])
    windows = Windows(
        LatentData([one]), [0], batch_size=8, length=5, seed=0, start=0, stop=3, value_steps=9, reward_clip=2.5
    )
    for batch in windows:
        for lane in range(8):
            row = int(batch.mu[lane, 0, 0])
            assert batch.ahead[lane, 0] == one.rewards[row + 1 : 8].clip(-2.5, 2.5).sum()


@pytest.mark.parametrize(("limit", "value_steps"), [(125, 20), (125, 60), (250, 60)])
def test_the_value_is_not_chosen_by_its_outcome(limit: int, value_steps: int) -> None:
    """Ends come with a hazard q and pay -100: the mean of what N steps pay is -100 (1 - q) (1 - (1 - q)^N)."""
    hazard, rng = 1 / 500, np.random.default_rng(0)
    drawn = rng.geometric(hazard, 6_000)
    made = cut_off(np.minimum(drawn, limit), ended=drawn <= limit, limit=limit)
    made.rewards[made.starts[1:][drawn <= limit] - 2] = -100
    windows = Windows(
        LatentData([made]),
        range(len(drawn)),
        batch_size=500,
        length=64,
        seed=0,
        start=0,
        stop=40,
        value_steps=value_steps,
    )
    paid, known = 0.0, 0.0
    for batch in windows:
        paid += float((batch.ahead * batch.ahead_mask).sum())
        known += float(batch.ahead_mask.sum())
    # An end right at a step is not ahead of it: N more steps follow, each of which may be the last.
    expected = -100 * (1 - hazard) * (1 - (1 - hazard) ** value_steps)
    assert paid / known == pytest.approx(expected, rel=0.08)


def test_a_window_stays_within_its_episode_and_ends_where_it_ends() -> None:
    ends = 0
    for batch in drawn(0, 20):
        for lane in range(16):
            steps = int((batch.mask[lane] > 0).sum())
            assert (batch.mask[lane] > 0).tolist() == [True] * steps + [False] * (6 - steps)
            assert float(batch.mask[lane].max()) <= 1
            assert not batch.done[lane, : steps - 1].any()  # an end is an episode's last step
            ends += int(batch.done[lane, steps - 1])
            for part in (batch.actions, batch.rewards, batch.done):
                assert not part[lane, steps:].any()
            assert not batch.mu[lane, steps + 1 :].any()
    assert ends > 0


def test_only_an_episode_shorter_than_the_window_is_padded() -> None:
    lengths = {int(steps) for batch in drawn(0, 30) for steps in (batch.mask > 0).sum(1)}
    assert lengths == {4, 6}


def later_in(batch: Window) -> int:
    """How many windows of a batch are from the second round."""
    later = data().folders[1].logvar.astype(np.float32)
    return sum(
        np.array_equal(later[min(int(mu[0, 0]), len(later) - 1)], logvar[0])
        for mu, logvar in zip(batch.mu, batch.logvar, strict=True)
    )


@pytest.mark.parametrize(("share", "least", "most"), [(1.0, 16, 16), (0.5, 8, 16), (0.0, 0, 15)])
def test_later_rounds_have_at_least_their_share(share: float, least: int, most: int) -> None:
    counts = [later_in(batch) for batch in drawn(0, 20, emphasis=Emphasis(later_share=share))]
    assert all(least <= count <= most for count in counts)
    # Of the rest, 42 of 100 windows are the second round's: steps + 5 each.
    expected = 16 * share + 16 * (1 - share) * 42 / 100
    assert np.mean(counts) == pytest.approx(expected, abs=1.5)


def test_without_episodes_of_later_rounds_all_serve() -> None:
    later = Emphasis(later_share=1.0)
    windows = Windows(data(), [0, 2], batch_size=8, length=5, seed=0, start=0, stop=3, emphasis=later)
    assert sum(later_in(batch) for batch in windows) == 0


def test_longer_episodes_are_drawn_more_often() -> None:
    windows = Windows(data(), [0, 1], batch_size=50, length=3, seed=0, start=0, stop=20)
    short = sum(int((batch.mu[:, 0, 0] > 30).sum()) for batch in windows)
    assert short / 1000 == pytest.approx(6 / 38, abs=0.04)


def cut_off(lengths: npt.NDArray[np.int64], *, ended: npt.NDArray[np.bool_], limit: int) -> EncodedEpisodes:
    """Episodes of so many steps without rewards, of which some truly ended; mu is the step's number."""
    starts = np.concatenate([[0], np.cumsum(lengths + 1)])
    rows = int(starts[-1])
    done = np.zeros(rows, np.float32)
    done[starts[1:] - 2] = ended
    nothing = np.zeros((rows, 1), np.float16)
    return EncodedEpisodes(
        mu=(np.arange(rows) - np.repeat(starts[:-1], lengths + 1))[:, None].astype(np.float16),
        logvar=nothing,
        actions=nothing.astype(np.float32),
        rewards=np.zeros(rows, np.float32),
        done=done,
        starts=starts,
        seeds=np.arange(len(lengths)),
        limits=np.full(len(lengths), limit),
    )


@pytest.mark.parametrize(("steps", "length"), [(125, 64), (40, 20), (200, 20), (64, 64), (10, 64)])
def test_every_step_of_an_episode_counts_as_much_as_any_other(steps: int, length: int) -> None:
    made = LatentData([cut_off(np.array([steps]), ended=np.array([True]), limit=steps)])
    met = np.zeros(steps)
    for batch in Windows(made, [0], batch_size=500, length=length, seed=0, start=0, stop=8):
        recorded = batch.mask > 0
        rows = batch.mu[:, :-1, 0][recorded].long().numpy()
        met += np.bincount(rows, batch.mask[recorded].numpy(), minlength=steps)
    assert met / met.mean() == pytest.approx(np.ones(steps), abs=0.15)


@pytest.mark.parametrize("steps", [1, 2, 5, 6, 7, 11, 12, 30])
def test_the_windows_that_show_a_step_are_counted(steps: int) -> None:
    """Against a count of all windows, the last step and an episode as long as the window among them."""
    length = 6
    showing = np.zeros(steps, np.int64)
    for begin in range(1 - length, steps):
        first = min(max(begin, 0), max(steps - length, 0))
        showing[first : first + length] += 1
    np.testing.assert_array_equal(windows_showing(np.arange(steps), steps, length), showing)


@pytest.mark.parametrize(
    ("hazard", "limit", "length"), [(1 / 500, 125, 64), (1 / 500, 250, 64), (1 / 40, 40, 20), (1 / 2000, 1000, 500)]
)
def test_true_ends_come_as_often_as_they_were_recorded(hazard: float, limit: int, length: int) -> None:
    """Windows drawn from inside the episodes alone have half of them, whatever `calibrate_done` takes back."""
    drawn_lengths = np.random.default_rng(0).geometric(hazard, 3000)
    ended = drawn_lengths <= limit
    made = cut_off(np.minimum(drawn_lengths, limit), ended=ended, limit=limit)
    done, steps = 0.0, 0.0
    windows = Windows(LatentData([made]), range(len(ended)), batch_size=500, length=length, seed=0, start=0, stop=40)
    for batch in windows:
        done, steps = done + float((batch.done * batch.mask).sum()), steps + float(batch.mask.sum())
    assert done / steps == pytest.approx(ended.sum() / np.minimum(drawn_lengths, limit).sum(), rel=0.08)
