import errno
from pathlib import Path

import h5py
import numpy as np
import pytest

from wmframe.data.episodes import ShardWriter
from wmframe.data.sink import Sink

needs_a_full_disk = pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")


def test_hdf5_reads_what_was_written_through_it(tmp_path: Path) -> None:
    sink = Sink(tmp_path / "a.h5")
    with h5py.File(sink, "w") as file:
        for number in range(50):
            file[f"{number}/values"] = np.full(1000, number)
    sink.finish()
    sink.close()
    with h5py.File(tmp_path / "a.h5", "r") as file:
        assert [int(file[f"{number}/values"][-1]) for number in range(50)] == list(range(50))


@needs_a_full_disk
def test_a_write_that_failed_is_never_forgotten(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """HDF5 itself would print of it at best, from a destructor."""
    (tmp_path / "a.h5").symlink_to("/dev/full")
    sink = Sink(tmp_path / "a.h5")
    with h5py.File(sink, "w") as file:
        file["values"] = np.ones(100_000)
    with pytest.raises(OSError, match="No space left") as caught:
        sink.finish()
    sink.close()
    assert caught.value.filename == str(tmp_path / "a.h5")
    assert capfd.readouterr().err == ""


def fill(path: Path, frames: int) -> None:
    """Write a shard of one episode."""
    known = {
        "seed": 1,
        "source": "s",
        "origin": "random",
        "policy": "p",
        "backend": "toy-1/x/y",
        "limit": 9,
        "terminated": False,
    }
    with ShardWriter(path, 1) as writer:
        for _ in range(frames):
            writer.step(0, np.zeros(1, np.float32), 1.0)
            writer.frame(0, np.zeros((64, 64, 3), np.uint8))
        writer.finish(0, dict(known))


@needs_a_full_disk
@pytest.mark.parametrize("frames", [3, 100])
def test_a_shard_on_a_full_disk_leaves_nothing_behind(tmp_path: Path, frames: int) -> None:
    (tmp_path / "a.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as caught:
        fill(tmp_path / "a.h5", frames)
    assert caught.value.errno == errno.ENOSPC
    assert list(tmp_path.iterdir()) == []
