"""Real limits of a real machine: a disk that is full or read-only, too few file handles, no permission, no TMPDIR.

Each time the run ends in words, and once the limit is gone the same command ends with the bits of a run that never met
one.
"""

import errno
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runs import hashes
from tests.torture.conftest import Figure
from tests.torture.machine import TINY, Ended, Machine
from tests.torture.scale import cases

NOBODY = 65534
Hashes = dict[str, dict[str, str]]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    machine = Machine()
    yield machine
    machine.close()


@pytest.fixture(scope="module")
def golden(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Hashes:
    """What a run leaves that nothing happened to."""
    root = tmp_path_factory.mktemp("golden")
    assert machine.run(*TINY, root=root).code == 0
    return hashes(root)


@pytest.fixture
def common() -> Iterator[Path]:
    """A folder that any user can reach."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB, where one can be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = _mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk))
    if made is not None:
        pytest.skip(f"no file system of 1 MB can be mounted here: {made}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def _mount(*words: str) -> str | None:
    """Mount, and return why not."""
    try:
        done = subprocess.run(["mount", *words], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "there is no mount"
    return done.stderr.strip() if done.returncode != 0 else None


def refused(ended: Ended, *reasons: int) -> None:
    """Check that a run ended politely, for one of these reasons."""
    assert ended.polite(), ended.said
    said = [line for line in ended.said.splitlines() if line.startswith("wmframe: ")]
    assert len(said) == 1, ended.said
    assert any(os.strerror(reason) in said[0] for reason in reasons), said
    assert "the same command" in said[0]


def test_a_disk_that_is_full_then_read_only_then_neither(machine: Machine, small_disk: Path, golden: Hashes) -> None:
    refused(machine.run(*TINY, root=small_disk), errno.ENOSPC)
    begun = hashes(small_disk)
    assert begun.items() <= golden.items()
    assert _mount("-o", "remount,ro", str(small_disk)) is None
    refused(machine.run(*TINY, root=small_disk), errno.EROFS)
    assert hashes(small_disk) == begun
    assert _mount("-o", "remount,rw,size=64m", str(small_disk)) is None
    assert machine.run(*TINY, root=small_disk).code == 0
    assert hashes(small_disk) == golden


@pytest.mark.parametrize("most", cases([1_000, 10_000, 100_000, 300_000], 2))
def test_files_may_not_grow(machine: Machine, tmp_path: Path, golden: Hashes, most: int) -> None:
    refused(machine.run(*TINY, root=tmp_path, bytes_a_file=most), errno.EFBIG)
    assert hashes(tmp_path).items() <= golden.items()
    assert machine.run(*TINY, root=tmp_path).code == 0
    assert hashes(tmp_path) == golden


def test_too_few_file_handles(machine: Machine, tmp_path: Path, golden: Hashes, figure: Figure) -> None:
    """With one more each time, until there are enough: it fails in another place each time."""
    enough = 0
    for files in cases(range(4, 24), 5):
        ended = machine.run(*TINY, root=tmp_path, files=files)
        if ended.code != 0:
            refused(ended, errno.EMFILE)
            assert not enough, f"{files} files were too few, {enough} were not"
        elif not enough:
            enough = files
        assert hashes(tmp_path).items() <= golden.items()
    assert enough > 4
    figure("file handles that a run needs at once", enough)
    assert machine.run(*TINY, root=tmp_path).code == 0
    assert hashes(tmp_path) == golden


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user, whom permissions bind")
@pytest.mark.parametrize("place", cases([".", "artefacts", "artefacts/memory", "runs"], 2))
def test_no_permission(machine: Machine, common: Path, golden: Hashes, place: str) -> None:
    closed = common / place
    closed.mkdir(parents=True, exist_ok=True)
    for folder in (common, *common.rglob("*")):
        folder.chmod(0o777)
    closed.chmod(0o555)
    refused(machine.run(*TINY, root=common, uid=NOBODY), errno.EACCES)
    closed.chmod(0o777)
    assert machine.run(*TINY, root=common, uid=NOBODY).code == 0
    assert hashes(common) == golden


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user, whom permissions bind")
def test_a_cache_that_may_only_be_read_serves(machine: Machine, common: Path, golden: Hashes) -> None:
    """Another's results need no permission to write among them."""
    assert machine.run(*TINY, root=common).code == 0
    (common / "runs").chmod(0o777)
    ended = machine.run(*TINY, root=common, uid=NOBODY)
    assert ended.code == 0, ended.said
    assert ended.said.count("cached") == len(golden)


@pytest.mark.parametrize("kind", ["elsewhere", "missing", "closed", "full"])
def test_no_result_depends_on_tmpdir(
    machine: Machine, common: Path, golden: Hashes, kind: str, request: pytest.FixtureRequest
) -> None:
    place, user = common / "tmp", None
    if kind == "elsewhere":
        place = Path("/dev/shm")  # noqa: S108 (it is the other file system that is wanted)
        if not place.is_dir() or place.stat().st_dev == common.stat().st_dev:
            pytest.skip("there is no other file system to be had without mounting one")
    elif kind == "full":
        place = request.getfixturevalue("small_disk")
        (place / "everything").write_bytes(bytes(os.statvfs(place).f_bavail * os.statvfs(place).f_frsize))
    elif kind == "closed":
        place.mkdir(mode=0o555)
        user = NOBODY if os.geteuid() == 0 else None
    ended = machine.run(*TINY, root=common / "here", environment={"TMPDIR": str(place)}, uid=user)
    assert ended.code == 0, ended.said
    assert hashes(common / "here") == golden
