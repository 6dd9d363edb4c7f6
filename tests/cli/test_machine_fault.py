import errno
import os
from pathlib import Path

import pytest

from wmframe.cli.machine_fault import explained, is_the_machines

FAULTS = {
    errno.ENOSPC: "paths.root=DIR",
    errno.EDQUOT: "quota",
    errno.EFBIG: "ulimit -f",
    errno.EROFS: "writable",
    errno.EACCES: "allowed",
    errno.EMFILE: "ulimit -n",
    errno.EIO: "log",
    errno.ENOMEM: "trainer.workers",
}


@pytest.mark.parametrize("number", FAULTS)
def test_a_fault_is_told_with_file_reason_and_remedy(number: int, tmp_path: Path) -> None:
    file = tmp_path / "not yet" / "there.json"
    said = explained(OSError(number, os.strerror(number), str(file)))
    assert str(file) in said
    assert os.strerror(number) in said
    assert FAULTS[number] in said
    assert "the same command" in said
    assert ("MB are free" in said) == (number in (errno.ENOSPC, errno.EDQUOT))
    assert "\n" not in said


def test_without_a_file_the_rest_is_told() -> None:
    said = explained(OSError(errno.EMFILE, os.strerror(errno.EMFILE)))
    assert said.startswith("Too many open files. `ulimit -n`")


def test_what_is_no_fault_of_the_machine_is_a_bug() -> None:
    assert is_the_machines(OSError(errno.ENOSPC, "full"))
    assert is_the_machines(FileNotFoundError(errno.ENOENT, "gone", "a.json"))
    assert not is_the_machines(OSError("a library's own words"))
    assert not is_the_machines(OSError(errno.EBADF, "Bad file descriptor"))
