"""Both ends of the pipe to a worker process that steps its share of the lanes.

To the worker go messages of one byte of kind and raw arrays: RESET with seeds (B,) int64, STEP with actions (B, A)
float32, CLOSE. Back come DONE with frames, rewards and flags as raw arrays, MISTAKE with exit code and words of a
`UserError`, or FAILED with a traceback. `serve` is the worker's end. `WorkerProcess` is its parent's, which starts it,
asks, listens with patience and sees it ended. Called by: `ProcessBatch`. Shapes: B lanes of this worker, A action.
"""

import contextlib
import math
import multiprocessing
import os
import signal
import socket
import struct
import traceback
from collections.abc import Sequence
from multiprocessing.connection import Connection

import numpy as np

from wmframe.engine.config.user_code import Held
from wmframe.engine.durability.parent_process import follow
from wmframe.engine.errors import UserError
from wmframe.envs.batch import BatchStep, SerialBatch, still
from wmframe.envs.spec import EnvSpec
from wmframe.frames import FrameShape

RESET, STEP, CLOSE = b"R", b"S", b"C"
DONE, MISTAKE, FAILED = b"D", b"M", b"F"
LINGER = 10  # seconds that a worker outlives a SIGTERM, if its parent does not close it before
START = 300.0  # seconds until the first answer: all workers import their game at once, perhaps from a slow disk
MOMENT = 5.0  # seconds a process gets to end by itself


def encode_seeds(seeds: Sequence[int]) -> bytes:
    """Seeds as raw int64."""
    return np.asarray(seeds, np.int64).tobytes()


def encode_step(step: BatchStep) -> bytes:
    """A step as raw arrays, one after the other; the number of lanes follows from the length."""
    return b"".join(
        [step.rewards.tobytes(), step.terminated.tobytes(), step.truncated.tobytes(), step.frames.tobytes()]
    )


def decode_step(content: bytes, shape: FrameShape) -> BatchStep:
    """The inverse of `encode_step`; the arrays are read-only views of `content`."""
    lanes = len(content) // (4 + 1 + 1 + math.prod(shape))
    return BatchStep(
        rewards=np.frombuffer(content, np.float32, lanes),
        terminated=np.frombuffer(content, np.bool_, lanes, offset=4 * lanes),
        truncated=np.frombuffer(content, np.bool_, lanes, offset=5 * lanes),
        frames=np.frombuffer(content, np.uint8, offset=6 * lanes).reshape(lanes, *shape),
    )


def serve(connection: Connection, _held: Held, spec: EnvSpec) -> None:
    """Answer until told to close, or until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the parent, which closes its workers
    signal.signal(signal.SIGTERM, _linger)
    parent = multiprocessing.parent_process()
    if parent is not None and parent.pid is not None:
        follow(parent.pid)  # a sibling may hold the pipe open, and an environment that hangs reads none
    with SerialBatch(spec) as batch:
        while True:
            try:
                message = connection.recv_bytes()
                if message[:1] == CLOSE:
                    return
                connection.send_bytes(answer(batch, message))
            except (EOFError, OSError):
                return


def _linger(*_: object) -> None:
    """Go on for a while: a scheduler's SIGTERM is for the parent too, which still has a step to finish and to save."""
    signal.alarm(LINGER)


def answer(batch: SerialBatch, message: bytes) -> bytes:
    """What to say to one RESET or STEP; errors are answers too."""
    try:
        if message[:1] == RESET:
            frames = batch.reset(np.frombuffer(message, np.int64, offset=1).tolist())
            first = still(len(frames), batch.spec.frame_shape)
            first.frames[:] = frames
            return DONE + encode_step(first)
        actions = np.frombuffer(message, np.float32, offset=1).reshape(-1, batch.spec.action_size)
        return DONE + encode_step(batch.step(actions))
    except UserError as mistake:
        return MISTAKE + bytes([mistake.exit_code]) + str(mistake).encode()
    except Exception:  # whatever it is, the parent must hear of it
        return FAILED + traceback.format_exc().encode()


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
