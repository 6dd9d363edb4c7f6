"""Stop when asked: SIGTERM and Ctrl-C become one exception, raised at a moment that suits the work.

Signals come in; `Stopped` goes out. The command line installs it (`heeded`); the runner says where the work would
rather choose the moment (`gently`); every loop of every stage offers moments (`check`), having saved what it needs to.
Elsewhere there is nothing to save, and the exception is raised wherever the signal finds the main thread. State on disk
is whole at any time, so whoever is late is ended: SIGTERM leaves within `GONE_SECONDS`, a second Ctrl-C at once.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from _thread import start_new_thread
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final

LATE_SECONDS: Final = 5.0
"""So long after a SIGTERM the exception is raised even where no loop offers a moment."""

GONE_SECONDS: Final = 9.0
"""So long after a SIGTERM the process ends whatever it is at, as a library that does not return would be."""

AT_ONCE_SECONDS: Final = 2.0
"""So long after a second Ctrl-C."""

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class Stopped(BaseException):
    """This process was asked to stop. No `Exception`: nobody who handles faults should take it for one.

    Nor a KeyboardInterrupt, which Lightning and others answer in ways of their own.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.signal = signal.Signals(number)

    @property
    def exit_code(self) -> int:
        """What shells call a process that a signal ended: 143 for SIGTERM, 130 for Ctrl-C."""
        return 128 + self.signal


@dataclass
class _State:
    """What this process was asked, since `heeded`."""

    installed: bool = False
    asked: int | None = None
    gentle: int = 0
    late: bool = False
    also: Callable[[], None] | None = None


_state = _State()


@contextlib.contextmanager
def heeded() -> Iterator[None]:
    """Turn SIGTERM and SIGINT into `Stopped` while the block runs; does nothing outside of the main thread."""
    global _state  # noqa: PLW0603 (signals are the process's own, and so is what was heard of them)
    if threading.current_thread() is not threading.main_thread() or _state.installed:
        yield
        return
    before: list[Any] = [signal.getsignal(number) for number in _SIGNALS]
    _state = mine = _State(installed=True)
    retake()
    try:
        yield
    finally:
        mine.installed = False
        for number, handler in zip(_SIGNALS, before, strict=True):
            signal.signal(number, handler)


def retake() -> None:
    """Install the handlers once more, after a library that installs its own (Lightning); nothing unless `heeded`."""
    if _state.installed and threading.current_thread() is threading.main_thread():
        for number in _SIGNALS:
            signal.signal(number, _hear)


@contextlib.contextmanager
def gently(also: Callable[[], None] | None = None) -> Iterator[None]:
    """Let the work in the block choose the moment, by `check`; at its end is one.

    `also` is called when the signal comes: it tells others who are at work.
    """
    before = _state.also
    _state.gentle += 1
    _state.also = also or before
    try:
        yield
    finally:
        _state.gentle -= 1
        _state.also = before
    check()


def asked() -> bool:
    """Tell whether this process was asked to stop."""
    return _state.asked is not None


def check() -> None:
    """Raise Stopped if this process was asked to stop: to be called where nothing is half done."""
    if _state.asked is not None:
        raise Stopped(_state.asked)


def _hear(number: int, _: FrameType | None) -> None:
    first = _state.asked is None
    if first:
        _state.asked = number
        if number == signal.SIGTERM:
            start_new_thread(_see_off, (_state, number, LATE_SECONDS, GONE_SECONDS))
        elif _state.gentle:
            _tell("\nfinishing this step, then saving; Ctrl-C again stops at once\n")
        if _state.also is not None:
            _state.also()
        if not _state.gentle:
            raise Stopped(number)
    elif number == signal.SIGINT and not _state.late:
        _state.late = True
        start_new_thread(_see_off, (_state, number, AT_ONCE_SECONDS, AT_ONCE_SECONDS))
        raise Stopped(number)
    elif _state.late:
        raise Stopped(number)
    # Schedulers repeat a SIGTERM; that is no reason to save less.


def _see_off(state: _State, number: int, late: float, gone: float) -> None:
    """End a process that does not find a moment; runs as a thread of its own."""
    time.sleep(late)
    if late < gone and state.installed:
        state.late = True
        signal.pthread_kill(threading.main_thread().ident or 0, number)
        time.sleep(gone - late)
    if state.installed:
        _tell("wmframe: ended in the middle of a step; the same command goes on from what was saved before it\n")
        os._exit(128 + number)


def _tell(line: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # no stderr, or a test's
        os.write(sys.stderr.fileno(), line.encode())  # print may be what the signal interrupted
