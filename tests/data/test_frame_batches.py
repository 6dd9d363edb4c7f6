from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import torch

from tests.data.shards import name_of, write
from wmframe.data import frame_batches
from wmframe.data.episodes import EpisodeReader
from wmframe.data.frame_batches import FrameBatches

POOL = 3


@pytest.fixture(autouse=True)
def small_pools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_batches, "POOL_CHUNKS", POOL)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[EpisodeReader]:
    """256 frames in 10 chunks: 128, 96 and 32 frames, of which the middle one ends in two short chunks."""
    write(tmp_path / "a.h5", [127, 95])
    write(tmp_path / "b.h5", [15, 15], first=2)
    opened = EpisodeReader([tmp_path])
    yield opened
    opened.close()


def dealt(
    reader: EpisodeReader,
    start: int,
    stop: int,
    *,
    batch_size: int = 16,
    seed: int = 0,
    episodes: list[int] | None = None,
) -> list[list[tuple[int, int]]]:
    """The (episode, step) of each frame of each batch."""
    batches = FrameBatches(
        reader,
        list(range(len(reader.episodes))) if episodes is None else episodes,
        batch_size=batch_size,
        seed=seed,
        start=start,
        stop=stop,
    )
    found = []
    for batch in batches:
        assert batch.dtype == torch.uint8
        assert batch.shape == (batch_size, 64, 64, 3)
        found.append([name_of(picture.numpy()) for picture in batch])
    return found


def test_every_frame_comes_once_an_epoch(reader: EpisodeReader) -> None:
    for epoch in range(3):
        seen = Counter(name for batch in dealt(reader, 16 * epoch, 16 * (epoch + 1)) for name in batch)
        assert len(seen) == 256
        assert set(seen.values()) == {1}


def test_any_step_on_it_is_the_rest_of_an_uninterrupted_fit(reader: EpisodeReader) -> None:
    whole = dealt(reader, 0, 40)
    assert len(whole) == 40
    for start in (0, 1, 5, 15, 16, 17, 33, 39, 40):
        assert dealt(reader, start, 40) == whole[start:]


def test_a_longer_fit_begins_like_a_shorter_one(reader: EpisodeReader) -> None:
    assert dealt(reader, 0, 40)[:7] == dealt(reader, 0, 7)


def test_seeds_and_epochs_have_their_own_order(reader: EpisodeReader) -> None:
    first, second = dealt(reader, 0, 16), dealt(reader, 16, 32)
    assert first != second
    assert first != dealt(reader, 0, 16, seed=1)
    assert first == dealt(reader, 0, 16)


def test_frames_of_a_batch_come_from_several_chunks(reader: EpisodeReader) -> None:
    chunks = [len({(episode, step // 32) for episode, step in batch}) for batch in dealt(reader, 0, 16)]
    assert sum(count > 1 for count in chunks) >= 14


def test_only_the_named_episodes_are_dealt(reader: EpisodeReader) -> None:
    assert {episode for batch in dealt(reader, 0, 12, episodes=[1, 3]) for episode, _ in batch} == {1, 3}


def test_a_batch_may_be_larger_than_a_pool(reader: EpisodeReader) -> None:
    for batch in dealt(reader, 0, 4, batch_size=128):
        assert len(set(batch)) == 128


@pytest.mark.parametrize("batch_size", [40, 48, 100, 200])
def test_no_frame_comes_twice_an_epoch_when_sizes_do_not_divide(reader: EpisodeReader, batch_size: int) -> None:
    # The chunks left over at an epoch's end once made a batch of their own, with replacement.
    whole = dealt(reader, 0, 60, batch_size=batch_size)
    for batch in whole:
        assert len(set(batch)) == batch_size
    assert whole[23:] == dealt(reader, 23, 60, batch_size=batch_size)


def test_a_data_set_smaller_than_a_batch_is_drawn_from_with_replacement(reader: EpisodeReader) -> None:
    batches = dealt(reader, 0, 3, episodes=[2], batch_size=50)
    assert len(batches) == 3
    assert {name for batch in batches for name in batch} == {(2, step) for step in range(16)}
    assert batches[0] != batches[1]
    assert batches[1:] == dealt(reader, 1, 3, episodes=[2], batch_size=50)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.8, 1.0])
def test_later_rounds_have_their_share_and_lose_no_frame(tmp_path: Path, share: float) -> None:
    for folder, lengths, first in (("first", [255, 255], 0), ("later", [31, 31], 2)):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / "a.h5", lengths, first=first)
    with closing(EpisodeReader([tmp_path / "first", tmp_path / "later"])) as reader:
        epoch = {0.0: 36, 0.5: 64, 0.8: 160, 1.0: 4}[share]
        batches = FrameBatches(reader, range(4), batch_size=16, seed=0, start=0, stop=epoch, later_share=share)
        seen = Counter(name_of(frame.numpy()) for batch in batches for frame in batch)
    later = {name: count for name, count in seen.items() if name[0] >= 2}
    assert len(later) == 64
    assert len(set(later.values())) == 1, "every frame as often as the others"
    assert len(seen) == (64 if share == 1 else 64 + 512)
    assert sum(later.values()) / seen.total() == pytest.approx(max(share, 64 / 576))
