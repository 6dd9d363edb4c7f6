"""A warm process, which has imported everything and answers requests: the test's end of it, and what it is made of.

Importing torch, Lightning and Hydra costs five seconds, a smoke run two; hundreds of commands would be imports for the
most part. So each runs in a child that a warm process forks, which calls `wmframe.cli.main.main` as the installed
command does. Requests go in on standard input as JSON, one a line; answers come out likewise. Used by `forge.py`, whose
commands are killed, and by `machine.py`, whose commands meet a machine's limits.
"""

import atexit
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from typing import Any

from tests.sweeps import TINY
from tests.torture.conftest import REPOSITORY


class Warm:
    """The test's end of a module that serves requests. Close it when done."""

    def __init__(self, module: str) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=REPOSITORY,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request and return its answer."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        answer: dict[str, Any] = json.loads(self._server.stdout.readline())
        return answer

    def close(self) -> None:
        """End the process."""
        self._server.communicate(timeout=30)


def import_everything() -> None:
    """Run the smallest experiment, but no backward pass: autograd's threads would not survive a fork."""
    from wmframe.cli.main import main

    words = ["run", *TINY, "vision.steps=0", "memory.steps=0"]
    with (
        tempfile.TemporaryDirectory() as root,
        open(os.devnull, "w") as nowhere,
        contextlib.redirect_stderr(nowhere),
        contextlib.redirect_stdout(nowhere),
    ):
        assert main([*words, f"paths.root={root}"]) == 0
    import pytorch_lightning.trainer  # noqa: F401


def fork(act: Callable[[], int]) -> int:
    """Fork a session of its own that acts, ends as an interpreter does, and exits with what `act` returned."""
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            os.setsid()
            code = act()
            threading._shutdown()  # type: ignore[attr-defined]  # as an interpreter that ends does, and in this order
            atexit._run_exitfuncs()
            sys.stdout.flush()
        finally:
            os._exit(code)
    return pid
