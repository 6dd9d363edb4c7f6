import numpy as np
import pytest
import torch

from tests.data.test_latents import encoded
from wmframe.data.emphasis import EVENLY, Emphasis
from wmframe.data.latents import EncodedEpisodes, LatentData
from wmframe.data.windows import Window, Windows


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
            steps = int(batch.mask[lane].sum())
            row = int(batch.mu[lane, 0, 0])
            # mu is its row's number; the two folders are told apart by their logvar.
            folder = next(f for f in folders if np.array_equal(f.logvar[row].astype("f4"), batch.logvar[lane, 0]))
            assert batch.mu[lane, : steps + 1, 0].tolist() == list(range(row, row + steps + 1))
            for name, count in (("logvar", steps + 1), ("actions", steps), ("rewards", steps), ("done", steps)):
                expected = getattr(folder, name)[row : row + count].astype(np.float32)
                np.testing.assert_array_equal(getattr(batch, name)[lane, :count].numpy(), expected)


@pytest.mark.parametrize("value_steps", [1, 3, 50])
def test_ahead_is_what_the_next_steps_paid_and_known_only_if_all_of_them_are(value_steps: int) -> None:
    """An episode that truly ended pays nothing more, so all is known of it; of one cut off, the last steps are not."""
    both = encoded([8, 7], latent=1)
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
            for step in range(5):
                now = row + step
                expected = both.rewards[now + 1 : min(now + 1 + value_steps, last)].sum()
                assert batch.ahead[lane, step] == expected
                complete = episode == 1 or now + value_steps < last
                assert bool(batch.ahead_mask[lane, step]) is complete
                known.append(complete)
    assert set(known) == {True, False}


def test_a_window_stays_within_its_episode_and_ends_where_it_ends() -> None:
    ends = 0
    for batch in drawn(0, 20):
        for lane in range(16):
            steps = int(batch.mask[lane].sum())
            assert batch.mask[lane].tolist() == [1.0] * steps + [0.0] * (6 - steps)
            assert not batch.done[lane, : steps - 1].any()  # an end is an episode's last step
            ends += int(batch.done[lane, steps - 1])
            for part in (batch.actions, batch.rewards, batch.done):
                assert not part[lane, steps:].any()
            assert not batch.mu[lane, steps + 1 :].any()
    assert ends > 0


def test_only_an_episode_shorter_than_the_window_is_padded() -> None:
    lengths = {int(steps) for batch in drawn(0, 30) for steps in batch.mask.sum(1)}
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
    # Of the rest, 32 of 75 steps are the second round's.
    expected = 16 * share + 16 * (1 - share) * 32 / 75
    assert np.mean(counts) == pytest.approx(expected, abs=1.5)


def test_without_episodes_of_later_rounds_all_serve() -> None:
    later = Emphasis(later_share=1.0)
    windows = Windows(data(), [0, 2], batch_size=8, length=5, seed=0, start=0, stop=3, emphasis=later)
    assert sum(later_in(batch) for batch in windows) == 0


def test_longer_episodes_are_drawn_more_often() -> None:
    windows = Windows(data(), [0, 1], batch_size=50, length=3, seed=0, start=0, stop=20)
    short = sum(int((batch.mu[:, 0, 0] > 30).sum()) for batch in windows)
    assert short / 1000 == pytest.approx(4 / 34, abs=0.04)


@pytest.mark.parametrize(("steps", "length"), [(125, 64), (40, 20), (200, 20)])
def test_an_episodes_last_step_falls_into_windows_about_as_often_as_any_other(steps: int, length: int) -> None:
    """Where true ends are: drawn from whole windows only, they would come 10 to 250 times too seldom."""
    rows = steps + 1
    done = np.zeros(rows, np.float32)
    done[steps - 1] = 1
    data = LatentData(
        [
            EncodedEpisodes(
                mu=np.zeros((rows, 1), np.float16),
                logvar=np.zeros((rows, 1), np.float16),
                actions=np.zeros((rows, 1), np.float32),
                rewards=np.zeros(rows, np.float32),
                done=done,
                starts=np.array([0, rows]),
            )
        ]
    )
    batches = list(Windows(data, [0], batch_size=64, length=length, seed=0, start=0, stop=60))
    rate = sum(float(batch.done.sum()) for batch in batches) / sum(float(batch.mask.sum()) for batch in batches)
    assert 0.6 < rate * steps < 1.1
