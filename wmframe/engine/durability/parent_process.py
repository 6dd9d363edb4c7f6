"""End with the process that one works for, however that one ends: a SIGKILL leaves nobody to tell its workers.

The owner's process id comes in; a signal to this very process goes out, as soon as the owner is gone. Called by worker
processes. It is the parent's id that is watched, not a pipe (a forked sibling may hold it open) nor the kernel's
parent-death signal (which comes as soon as the parent's *thread* ends).
"""

import contextlib
import os
import signal
import threading
import time
from pathlib import Path
from typing import Final

_LOOK_UP: Final = 0.5
"""Seconds between two looks."""

_followed: set[int] = set()


def follow(owner: int, number: signal.Signals = signal.SIGKILL, *, with_siblings: bool = False) -> None:
    """Have this process sent a signal once `owner`, which must be its parent, is gone; at once if it is gone already.

    With `with_siblings` the owner's other children are sent it too, as far as the system tells who they were.
    """
    if owner not in _followed:
        _followed.add(owner)
        threading.Thread(target=_follow, args=(owner, number, with_siblings), daemon=True).start()


def tell_children(number: signal.Signals = signal.SIGTERM) -> None:
    """Send this process's children a signal, where the system tells who they are (Linux)."""
    _tell(children(os.getpid()), number)


def _follow(owner: int, number: signal.Signals, with_siblings: bool) -> None:
    siblings: list[int] = []
    while os.getppid() == owner:
        siblings = (children(owner) or siblings) if with_siblings else []
        time.sleep(_LOOK_UP)
    _tell([pid for pid in siblings if pid != os.getpid()], number)
    os.kill(os.getpid(), number)


def children(pid: int) -> list[int]:
    """Return the ids of a process's children, none where the system does not tell."""
    found: list[int] = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            if int(parent) == pid and state != "Z":
                found.append(int(stat.parent.name))
    return found


def _tell(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
