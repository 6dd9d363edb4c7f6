"""Reading folders that others write: never out of them, and never twice while nothing changed.

In: a resolved folder and names below it, from a browser or from a file that may say anything. Out: paths of regular
files that no link led to, and values that were computed from them. Called by every other module here.
"""

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")
Stamp = tuple[tuple[int, int, int] | None, ...]
"""(mtime in ns, size, inode) of each file, None where there is none: equal stamps mean equal files."""


def regular_file(base: Path, *names: str) -> Path | None:
    """Return the regular file at `names` below the resolved folder `base`, None for a link, one elsewhere, or none."""
    path = base.joinpath(*names)
    try:
        inside = path.is_relative_to(base) and path.resolve() == path and path.is_file()
    except (OSError, ValueError, RuntimeError):  # a name too long or with a null byte, a loop of links
        return None
    return path if inside else None


def stamp(*paths: Path) -> Stamp:
    """Return what tells whether any of these files was written since."""
    return tuple(map(_stamp, paths))


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


class Cache(Generic[Value]):
    """The `most` values used last, each as good as its stamp; one thread computes, the others wait."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[object, tuple[Stamp, Value]] = OrderedDict()
        self._lock = Lock()

    def get(self, name: object, current: Stamp, compute: Callable[[], Value]) -> Value:
        """Return the value called `name`, computed again unless it was under the same stamp."""
        with self._lock:
            known = self._values.get(name)
            if known is None or known[0] != current:
                # The stamp was taken before the files are read: one written meanwhile is read again next time.
                known = (current, compute())
            self._values[name] = known
            self._values.move_to_end(name)
            while len(self._values) > self._most:
                self._values.popitem(last=False)
            return known[1]
