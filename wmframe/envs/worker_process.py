"""A worker process as its parent holds it: started, asked, listened to with patience, ended.

In: the messages that `worker.py` lists. Out: the content of its answers. Called by: `ProcessBatch`, one per worker.
"""

import contextlib
import multiprocessing
import os
import signal
import socket
import struct
from multiprocessing.connection import Connection

from wmframe.engine.config.user_code import Held
from wmframe.engine.errors import UserError
from wmframe.envs.spec import EnvSpec
from wmframe.envs.worker import CLOSE, FAILED, MISTAKE, serve

START = 300.0  # seconds until the first answer: all workers import their game at once, perhaps from a slow disk
MOMENT = 5.0  # seconds a process gets to end by itself


class LostError(Exception):
    """A worker is dead, or hangs; the message is what became of it, in words that go on after its name."""


class WorkerProcess:
    """One process that steps its share of the lanes.

    It is spawned, so that it inherits neither threads nor open files, and ends with this process. `patience` is how
    many seconds it may be silent while an answer is due.
    """

    def __init__(self, spec: EnvSpec, *, name: str, patience: float) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.name = name
        self.patience = patience
        self.limit = set_patience(self.connection, max(START, patience))
        # What is held comes before the spec, whose class would be imported from its file as it is by now.
        self.process = context.Process(target=serve, args=(theirs, Held(), spec), name=name, daemon=True)
        self.process.start()
        theirs.close()  # so that the pipe ends when the worker does

    def ask(self, request: bytes) -> None:
        """Send a request; that nobody takes it is found out by `answer`."""
        with contextlib.suppress(OSError):
            self.connection.send_bytes(request)

    def answer(self) -> bytes:
        """What the worker answers to the last request.

        Raises:
            LostError: it has died, or was silent for too long.
            UserError: a mistake of the user, found there.
            RuntimeError: a mistake in the code, with its traceback there.
        """
        try:
            message = self.connection.recv_bytes()
        except BlockingIOError:
            raise LostError(f"gave no sign of life for {self.limit:g} s") from None
        except (EOFError, OSError):
            self.process.join(MOMENT)
            raise LostError(cause(self.process.exitcode)) from None
        if self.limit != self.patience:
            self.limit = set_patience(self.connection, self.patience)
        kind, content = message[:1], message[1:]
        if kind == MISTAKE:
            raise UserError(content[1:].decode(), exit_code=content[0])
        if kind == FAILED:
            raise RuntimeError(f"in an environment worker:\n{content.decode()}")
        return content

    def dismiss(self) -> None:
        """Tell it to end, and listen no more."""
        self.ask(CLOSE)
        self.connection.close()

    def end(self, patience: float = MOMENT) -> None:
        """See it ended: by itself within `patience` seconds, or by force. Doing so twice is harmless."""
        self.connection.close()
        self.process.join(patience)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def set_patience(connection: Connection, seconds: float) -> float:
    """Let no single read or write on a pipe wait longer than this; then they raise a `BlockingIOError`. Returns it.

    Polling first would not do: a worker may stop in the middle of an answer, whose rest would be waited for forever.
    """
    limit = struct.pack("ll", int(seconds), int(seconds % 1 * 1e6))
    with socket.socket(fileno=os.dup(connection.fileno())) as end:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
    return seconds


def cause(code: int | None) -> str:
    """How a process with this exit code ended, in words, with the likely reason."""
    if code is None:
        return "no longer answers"
    if code >= 0:
        return f"ended with exit code {code}; its own message, if any, stands above"
    name = signal.Signals(-code).name
    if name == "SIGKILL":
        return "was killed by SIGKILL, most likely by the kernel because memory ran out"
    if name in ("SIGSEGV", "SIGBUS", "SIGABRT", "SIGILL", "SIGFPE"):
        return f"crashed with {name}, most likely inside a native library of the environment"
    return f"was ended by {name}, most likely by someone on this machine"
