"""Named points at which a process can be told to fail, so that tests can prove that nothing is lost there.

WMFRAME_FAULT=point[:n]:action comes in; the n-th time (1 where left out, * for every time) that the point is reached,
the action happens: a signal's name is sent to this process itself (vision.sealed:SIGKILL), an error number's name is
raised as that OSError (half.manifest.json:2:ENOSPC). Without the variable a point does nothing. Called all over the
house; the points are listed in docs/reliability.md.
"""

import errno
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Final

VARIABLE: Final = "WMFRAME_FAULT"

_reached: Counter[str] = Counter()


def reach(point: str, path: Path | None = None) -> None:
    """Fail here if this process was told to; `path` is the file that an OSError is about.

    Raises OSError where the action is an error number, ValueError for an action that is neither.
    """
    told = os.environ.get(VARIABLE)
    if told is None:
        return
    wanted, _, rest = told.partition(":")
    if point != wanted:
        return
    turn, _, action = rest.rpartition(":")
    _reached[point] += 1
    if turn in ("*", str(_reached[point])) or (turn == "" and _reached[point] == 1):
        _fail(action, path)


def _fail(action: str, path: Path | None) -> None:
    if action in signal.Signals.__members__:
        os.kill(os.getpid(), signal.Signals[action])
    elif (number := getattr(errno, action, None)) is not None:
        raise OSError(number, os.strerror(number), str(path) if path is not None else None)
    else:
        raise ValueError(f"{VARIABLE}: {action!r} is neither a signal nor an error number")
