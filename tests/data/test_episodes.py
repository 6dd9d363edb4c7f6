import tracemalloc
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from tests.data.shards import actions, frame, name_of, rewards, write
from wmframe.data.episodes import EpisodeReader, ShardWriter, read_infos, save_sample
from wmframe.data.shard import CHUNK
from wmframe.engine.errors import UserError

LENGTHS = [1, CHUNK - 1, CHUNK, 70]
KNOWN = {
    "seed": 1,
    "source": "s",
    "origin": "random",
    "policy": "p",
    "backend": "b",
    "limit": 9,
    "terminated": False,
}


def test_what_was_recorded_is_read(tmp_path: Path) -> None:
    write(tmp_path / "a.h5", LENGTHS)
    reader = EpisodeReader([tmp_path])
    assert [episode.steps for episode in reader.episodes] == LENGTHS
    for number, steps in enumerate(LENGTHS):
        expected = np.stack([frame(number, step) for step in range(steps + 1)])
        np.testing.assert_array_equal(reader.frames(number), expected)
        np.testing.assert_array_equal(reader.frames(number, 1, 40), expected[1:40])
        seen = reader.steps(number)
        np.testing.assert_array_equal(seen.actions, actions(number, steps))
        np.testing.assert_array_equal(seen.rewards, rewards(number, steps))
        assert seen.actions.dtype == seen.rewards.dtype == np.float32
        assert seen.terminated is (number % 2 == 1)
    reader.close()


def test_an_episode_says_where_it_came_from(tmp_path: Path) -> None:
    shard = write(tmp_path / "a.h5", LENGTHS)
    info = read_infos(shard)[3]
    assert (info.shard, info.name, info.steps, info.seed) == ("a.h5", "0003", 70, 10**9 + 3)
    assert (info.source, info.origin, info.policy, info.backend) == ("held", "random", "held", "toy-1")
    assert info.episode_return == rewards(3, 70).sum()
    assert info.terminated
    reader = EpisodeReader([tmp_path])
    assert reader.episodes == read_infos(shard)
    reader.close()


def test_shards_and_folders_are_read_in_order(tmp_path: Path) -> None:
    for folder, shard, first in (("old", "b.h5", 2), ("old", "a.h5", 0), ("new", "a.h5", 4)):
        (tmp_path / folder).mkdir(exist_ok=True)
        write(tmp_path / folder / shard, [2, 3], first=first)
    reader = EpisodeReader([tmp_path / "old", tmp_path / "new"])
    assert [name_of(reader.frames(number)[0])[0] for number in range(6)] == [0, 1, 2, 3, 4, 5]
    reader.close()


def test_lanes_keep_their_order_beyond_ten(tmp_path: Path) -> None:
    write(tmp_path / "a.h5", [1] * 12)
    assert [info.seed - 10**9 for info in read_infos(tmp_path / "a.h5")] == list(range(12))


def interrupted(shard: Path) -> None:
    with ShardWriter(shard, 1) as writer:
        writer.frame(0, frame(0, 0))
        raise KeyboardInterrupt


def test_an_error_leaves_nothing_behind_and_spares_what_was_there(tmp_path: Path) -> None:
    shard = tmp_path / "a.h5"
    before = write(shard, [2]).read_bytes()
    with pytest.raises(KeyboardInterrupt):
        interrupted(shard)
    assert shard.read_bytes() == before
    with pytest.raises(RuntimeError), ShardWriter(tmp_path / "b.h5", 1):
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["a.h5"]


def test_a_shard_appears_only_when_complete_and_replaces_a_killed_ones_rest(tmp_path: Path) -> None:
    shard = tmp_path / "a.h5"
    shard.with_suffix(".part").write_bytes(b"cut off by a kill")
    with ShardWriter(shard, 1) as writer:
        writer.frame(0, frame(0, 0))
        assert not shard.exists()
        writer.step(0, np.zeros(2, np.float32), 1.0)
        writer.frame(0, frame(0, 1))
        writer.finish(0, KNOWN)
        assert not shard.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["a.h5"]
    assert read_infos(shard)[0].steps == 1


def test_equal_episodes_are_equal_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    one, two = (write(tmp_path / folder / "a.h5", [5, 40]).read_bytes() for folder in ("one", "two"))
    assert one == two


def test_what_is_handed_over_may_be_changed_afterwards(tmp_path: Path) -> None:
    with ShardWriter(tmp_path / "a.h5", 1) as writer:
        picture, action = frame(3, 1), np.zeros(2, np.float32)
        writer.frame(0, picture)
        writer.step(0, action, 0.0)
        picture[:], action[:] = 0, 9
        writer.frame(0, picture)
        writer.finish(0, KNOWN)
    reader = EpisodeReader([tmp_path])
    np.testing.assert_array_equal(reader.frames(0)[0], frame(3, 1))
    assert reader.steps(0).actions.max() == 0
    reader.close()


def test_two_simulators_are_never_read_as_one(tmp_path: Path) -> None:
    """Versions and renderers of one are: their frames are meant to be the same."""
    drawn = (
        "gymnasium-1.4.0/CarRacing-v3/fast",
        "gymnasium-1.4.1/CarRacing-v3/reference",
        "other-1.2.5/CarRacing-v3",
    )
    folders = [tmp_path / str(number) for number in range(3)]
    for folder, backend in zip(folders, drawn, strict=True):
        folder.mkdir()
        write(folder / "a.h5", [2], backend=backend)
    with closing(EpisodeReader(folders[:2])) as reader:
        assert {episode.simulator for episode in reader.episodes} == {"gymnasium/CarRacing-v3"}
    with pytest.raises(UserError, match=r"gymnasium/CarRacing-v3 and other/CarRacing-v3.*one at a time"):
        EpisodeReader(folders)


def test_memory_does_not_grow_with_the_length_of_an_episode(tmp_path: Path) -> None:
    def peak(steps: int) -> int:
        tracemalloc.start()
        write(tmp_path / f"{steps}.h5", [steps])
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(2)  # whatever is loaded once
    frame_bytes = 64 * 64 * 3
    assert peak(600) < peak(100) + 40 * frame_bytes  # 500 more frames, and few of them held


def test_a_sample_is_of_episodes_that_nothing_was_fitted_on(tmp_path: Path) -> None:
    """The last of several collections is shown, split as all of them together are."""
    folders = [tmp_path / "1", tmp_path / "2"]
    for number, folder in enumerate(folders):
        folder.mkdir()
        write(folder / "a.h5", [3] * 30, first=30 * number)
    sample = tmp_path / "sample"
    sample.mkdir()
    save_sample(folders, sample / "sample.h5")
    with closing(EpisodeReader(folders)) as reader, closing(EpisodeReader([sample])) as shown:
        fit_on, held_out = reader.split()
        assert fit_on
        names = {name_of(shown.frames(number)[0])[0] for number in range(2)}
        assert names < set(held_out)
        assert min(names) >= 30, "of the last collection"
        assert shown.episodes[0].limit == reader.episodes[min(names)].limit
