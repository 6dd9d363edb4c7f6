"""A warm process whose commands are killed: `python -m tests.torture.forge`.

Each command dies of whatever its test sends it: the kernel knows no difference between a forked child and the installed
command. The server reaps what its children orphan, so that a test can ask who is left. `Forge` is the test's end.
"""

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from tests.torture.warm import Warm, fork, import_everything
from wmframe.engine.durability.failpoints import VARIABLE
from wmframe.engine.durability.parent_process import children

_BECOME_SUBREAPER: Final = 36
"""PR_SET_CHILD_SUBREAPER of Linux: orphaned descendants become this process's children."""


@dataclass(frozen=True)
class Child:
    """A command at work: its process, and the file that holds all it has printed."""

    pid: int
    log: Path
    began: float

    def said(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(errors="replace")

    def send(self, number: int) -> None:
        """Send it a signal; one that has ended already is past caring."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)


class Forge(Warm):
    """The test's end of a server. Close it when done."""

    def __init__(self) -> None:
        super().__init__("tests.torture.forge")
        self._number = 0
        self._codes: dict[int, int] = {}
        self._logs = Path(tempfile.mkdtemp(prefix="forge-"))
        assert self.ask(do="ready") == {"ready": True}

    def start(self, *arguments: str, fault: str | None = None, do: str = "main") -> Child:
        """Start `wmframe` with these arguments in a process of its own, failing as `fault` says."""
        self._number += 1
        log = self._logs / f"{self._number}.txt"
        log.touch()
        environment = {} if fault is None else {VARIABLE: fault}
        told = self.ask(do=do, arguments=arguments, environment=environment, log=str(log))
        self._codes.pop(told["pid"], None)  # a process id comes round again within hours
        return Child(told["pid"], log, time.monotonic())

    def finish(self, child: Child, *, seconds: float = 600.0) -> int:
        """Wait for a command's end and return its exit code, or the negative number of the signal that killed it."""
        until = time.monotonic() + seconds
        while child.pid not in self._codes:
            if time.monotonic() > until:
                child.send(signal.SIGKILL)  # the next test must not find it
                raise TimeoutError(f"still there after {seconds} s:\n{child.said()}")
            self._codes |= {int(pid): code for pid, code in self.ask(do="ended")["ended"].items()}
            time.sleep(0.005)
        return self._codes[child.pid]

    def run(self, *arguments: str, fault: str | None = None) -> tuple[int, str]:
        """Run a command to its end; return its exit code and what it printed."""
        child = self.start(*arguments, fault=fault)
        return self.finish(child), child.said()

    def left(self, *, after: float = 0.0) -> list[str]:
        """The command lines of processes that commands have left behind and that are still there `after` so many
        seconds at most: what a killed one had just asked git ends a moment later.
        """
        until = time.monotonic() + after
        while (found := self.ask(do="left")["left"]) and time.monotonic() < until:
            time.sleep(0.02)
        return list(found)

    def close(self) -> None:
        """End the server, and whatever it still has."""
        super().close()
        shutil.rmtree(self._logs)


def _become(request: Mapping[str, Any]) -> int:
    """Be the command: own output, no answer to the server."""
    from wmframe.cli.main import main

    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(1, 2)
    os.lseek(1, 0, os.SEEK_END)
    os.environ.update(request["environment"])
    return (main if request["do"] == "main" else _compute)(request["arguments"])


def _compute(words: Sequence[str]) -> int:
    """Run an experiment without drawing its page: what the store has to do, and nothing else."""
    from wmframe.cli.overrides import parse
    from wmframe.cli.prepare import prepare
    from wmframe.engine.runs.runner import Order, run
    from wmframe.engine.tracking.progress import Progress

    [job] = prepare(parse(words))
    order = Order(experiment=job.experiment, overrides=job.overrides, command="", allowed=("wmframe",))
    run(order, Progress(sys.stderr), lambda *_: None)
    return 0


def _reap(codes: dict[int, int]) -> None:
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0] != 0:
            codes[ended[0]] = os.waitstatus_to_exitcode(ended[1])


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return f"{pid} {b' '.join(words).decode()}"
    return ""


def serve() -> None:
    """Answer until standard input ends; then kill whoever is left."""
    ctypes.CDLL(None).prctl(_BECOME_SUBREAPER, 1, 0, 0, 0)
    import_everything()
    codes: dict[int, int] = {}
    started: set[int] = set()
    while select.select([sys.stdin], [], []) and (line := sys.stdin.readline()):
        request, answer = json.loads(line), dict[str, Any]()
        if request["do"] == "ready":
            answer = {"ready": True}
        elif request["do"] == "ended":
            _reap(codes)
            answer = {"ended": {pid: code for pid, code in codes.items() if pid in started}}
        elif request["do"] == "left":
            _reap(codes)
            answer = {"left": [_command(pid) for pid in children(os.getpid())]}
        else:
            pid = fork(partial(_become, request))
            codes.pop(pid, None)
            started.add(pid)
            answer = {"pid": pid}
        print(json.dumps(answer), flush=True)
    for pid in children(os.getpid()):
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    serve()
