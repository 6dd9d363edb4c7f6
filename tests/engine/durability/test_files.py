import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from wmframe.engine.durability.files import LITTER, about, json_text, read_json, sha256, write_atomic, write_json
from wmframe.engine.errors import UserError

KILL = """
import os, signal, sys
from pathlib import Path
from wmframe.engine.durability import files

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

point, path = sys.argv[1], Path(sys.argv[2])
if point == "before fsync":
    files.os.fsync = die
elif point == "before rename":
    Path.replace = die
else:
    files.fsync_folder = die
files.write_atomic(path, "new" * 1000)
"""


@pytest.mark.parametrize(
    ("point", "content"), [("before fsync", "old"), ("before rename", "old"), ("after", "new" * 1000)]
)
def test_a_killed_write_leaves_the_old_file_or_the_new_one(tmp_path: Path, point: str, content: str) -> None:
    path = tmp_path / "state.json"
    write_atomic(path, "old")
    done = subprocess.run([sys.executable, "-c", KILL, point, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_text() == content
    litter = [name for name in tmp_path.iterdir() if name != path]
    assert all(name.match(LITTER) for name in litter)
    assert len(litter) == (point != "after")


def test_the_temporary_file_stands_beside_the_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "missing"))
    write_atomic(tmp_path / "a.txt", b"\x00\xff")
    assert (tmp_path / "a.txt").read_bytes() == b"\x00\xff"


def test_a_full_disk_leaves_the_old_file_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    write_atomic(path, "old")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomic(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_umask_rules_and_not_the_mode_of_temporary_files(tmp_path: Path) -> None:
    write_atomic(tmp_path / "ours", "")
    (tmp_path / "plain").write_text("")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_json_has_one_spelling_and_comes_back(tmp_path: Path) -> None:
    value = {"b": [1, 2.5, None, True], "a": {"τ": "1e-05", "x": 1e-05}}
    write_json(tmp_path / "a.json", value)
    write_json(tmp_path / "b.json", dict(reversed(value.items())))
    assert read_json(tmp_path / "a.json") == value
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes() == json_text(value).encode()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [float("-inf")]}])
def test_json_without_numbers_that_json_lacks(tmp_path: Path, value: object) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a.json", value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b'{"a": 1', b"\xff\xfe", b"{'a': 1}", b"NaN", b"[" * 100_000, b"{} {}"])
def test_a_damaged_json_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"run\.json: damaged"):
        read_json(path)


def test_a_missing_or_unreadable_json_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"run\.json: there is no such file"):
        read_json(tmp_path / "run.json")
    with pytest.raises(UserError, match="cannot be read"):
        read_json(tmp_path)


def test_sha256_is_the_standard_one(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_an_error_is_about_the_file_and_not_its_temporary_one(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError) as caught:
        write_atomic(tmp_path / "folder", "text")
    assert str(caught.value).endswith(f"directory: '{tmp_path / 'folder'}'")
    with pytest.raises(OSError, match="left") as other, about(tmp_path / "a.json"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert (other.value.errno, other.value.filename) == (errno.ENOSPC, str(tmp_path / "a.json"))
