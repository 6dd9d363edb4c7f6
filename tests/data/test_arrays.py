import errno
from pathlib import Path

import numpy as np
import pytest

from wmframe.data.arrays import ArrayWriter


@pytest.mark.parametrize("shape", [(5, 3), (5,), (0, 2)])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int64])
def test_row_by_row_is_what_numpy_writes(tmp_path: Path, shape: tuple[int, ...], dtype: type) -> None:
    whole: np.ndarray = np.random.default_rng(0).uniform(-9, 9, shape).astype(dtype)
    with ArrayWriter(tmp_path / "rows.npy", dtype, shape) as writer:
        writer.write(whole[:2])
        writer.write(whole[2:])
    np.save(tmp_path / "numpy.npy", whole)
    assert (tmp_path / "rows.npy").read_bytes() == (tmp_path / "numpy.npy").read_bytes()


def test_rows_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not fit"), ArrayWriter(tmp_path / "a.npy", np.float32, (3, 2)) as writer:
        writer.write(np.zeros((1, 3)))
    with pytest.raises(ValueError, match="does not fit"), ArrayWriter(tmp_path / "a.npy", np.float32, (3, 2)) as writer:
        writer.write(np.zeros((4, 2)))
    with pytest.raises(ValueError, match="2 of 3 rows"), ArrayWriter(tmp_path / "a.npy", np.float32, (3, 2)) as writer:
        writer.write(np.zeros((2, 2)))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_an_error_about_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.npy").symlink_to("/dev/full")
    with (
        pytest.raises(OSError, match="No space left") as caught,
        ArrayWriter(tmp_path / "a.npy", np.float32, (3, 2)) as writer,
    ):
        writer.write(np.zeros((3, 2)))
    assert caught.value.errno == errno.ENOSPC
    assert caught.value.filename == str(tmp_path / "a.npy")
