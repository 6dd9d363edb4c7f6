"""What to say when the machine fails: which file, why, and what would help.

An OSError comes in; one line for a person goes out, if it is a fault of the machine and none of ours. Called by `main`
and by a sweep's jobs.
"""

import contextlib
import errno
import os
import shutil
from pathlib import Path
from typing import Final, TypeGuard

_ELSEWHERE: Final = "or choose another folder with paths.root=DIR"

_HELP: Final = {
    errno.ENOSPC: f"Make room there, {_ELSEWHERE}",
    errno.EDQUOT: f"Your quota there is used up: make room, {_ELSEWHERE}",
    errno.EFBIG: f"Files may not grow that large there (`ulimit -f` says how large): raise the limit, {_ELSEWHERE}",
    errno.EROFS: f"It must be writable, {_ELSEWHERE}",
    errno.EACCES: f"You must be allowed to write there, {_ELSEWHERE}",
    errno.EPERM: f"You must be allowed to write there, {_ELSEWHERE}",
    errno.EMFILE: "`ulimit -n` says how many a process may have: raise it (`ulimit -n 4096`), or lower trainer.workers",
    errno.ENFILE: "The whole machine has too many: end other programs, or lower trainer.workers",
    errno.EIO: f"The disk, or the network behind it, failed: look into the system's log, {_ELSEWHERE}",
    errno.ESTALE: f"The network file system lost it: mount it again, {_ELSEWHERE}",
    errno.ENOMEM: "Memory ran out: end other programs, or lower trainer.workers",
    errno.EAGAIN: "No process can be started: `ulimit -u` says how many you may have; lower trainer.workers",
}

_ABOUT_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def is_the_machines(error: Exception) -> TypeGuard[OSError]:
    """Tell whether an error is the machine's: one that is known here, or one about a file."""
    if not isinstance(error, OSError):
        return False
    return error.errno in _HELP or (error.filename is not None and error.strerror is not None)


def explained(error: OSError) -> str:
    """Return what went wrong, where, and what to do: the file, the reason, the remedy."""
    where = "" if error.filename is None else f"{_text(error.filename)}: "
    free = _free(error.filename) if error.errno in _ABOUT_SPACE else ""
    help_ = f"{_HELP[error.errno]}. " if error.errno in _HELP else ""
    return (
        f"{where}{error.strerror}{free}. {help_}Nothing that was finished is lost; the same command then goes on from "
        "there."
    )


def _free(file: object) -> str:
    """Say how much room there is: a disk that filled up for a moment only may have room again."""
    for folder in Path(_text(file)).parents:
        with contextlib.suppress(OSError):
            return f" ({shutil.disk_usage(folder).free / 1e6:,.0f} MB are free there now)"
    return ""


def _text(file: object) -> str:
    return os.fsdecode(file) if isinstance(file, str | bytes) else str(file)
