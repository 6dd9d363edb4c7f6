"""Single flight: processes that want the same result compute it once.

Comes in: the path of a lock file. Goes out: whether this process holds it. Called by the store. The lock is
the kernel's: it dies with its process, so there is never anything to unlock by hand. It saves work; results
are right without it.
"""

import contextlib
import errno
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from wmframe.engine.durability import failpoints
from wmframe.engine.durability.files import json_text, read_json
from wmframe.engine.errors import UserError

_POLL_SECONDS = 0.2
_NO_LOCKS = frozenset({errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP})


@contextlib.contextmanager
def hold(path: Path, what: str, notice: Callable[[str], None]) -> Iterator[bool]:
    """Hold the kernel lock on the file `path` while the block runs; yields whether the file system has such
    locks.

    Waits as long as another process holds it, after one line that says who. `what` names the result in that
    line.
    """
    # No fallback to lock files: they outlive a killed owner, and somebody would have to remove them.
    lock = FileLock(path, poll_interval=_POLL_SECONDS, fallback_to_soft=False)
    try:
        failpoints.reach("flock", path)
        lock.acquire(timeout=0)
    except Timeout:
        notice(f"{what}: waiting for {_owner(path)}, which is computing it")
        lock.acquire()
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        notice(f"{what}: this file system has no locks, so another process may compute the same result")
        yield False
        return
    try:
        with contextlib.suppress(OSError):  # the content serves the message only
            path.write_text(json_text({"pid": os.getpid(), "host": socket.gethostname()}))
        yield True
    finally:
        lock.release()


def try_hold(path: Path) -> contextlib.AbstractContextManager[object] | None:
    """Return the held lock on `path` (a context manager that lets go of it), or None where it is not free or
    not to be had.
    """
    try:
        return FileLock(path, fallback_to_soft=False).acquire(timeout=0)
    except (Timeout, OSError):
        return None


def _owner(path: Path) -> str:
    try:
        facts = read_json(path)
        return f"process {int(facts['pid'])} on {str(facts['host'])[:64]!r}"
    except (UserError, KeyError, TypeError, ValueError):
        return "another process"
