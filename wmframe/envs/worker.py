"""The other end of a `WorkerProcess`'s pipe: a process that steps its share of the lanes.

In: messages of one byte of kind and raw arrays: RESET with seeds (B,) int64, STEP with actions (B, A)
float32, CLOSE. Out: DONE with frames, rewards and flags as raw arrays, MISTAKE with exit code and words
of a `UserError`, or FAILED with a traceback. Called by: `WorkerProcess`. Shapes: B lanes of this worker, A
action.
"""

import math
import multiprocessing
import signal
import traceback
from collections.abc import Sequence
from multiprocessing.connection import Connection

import numpy as np

from wmframe.engine.config.user_code import Held
from wmframe.engine.durability.parent_process import follow
from wmframe.engine.errors import UserError
from wmframe.envs.batch import BatchStep, SerialBatch, still
from wmframe.envs.spec import FRAME_SHAPE, EnvSpec

RESET, STEP, CLOSE = b"R", b"S", b"C"
DONE, MISTAKE, FAILED = b"D", b"M", b"F"
LINGER = 10  # seconds that a worker outlives a SIGTERM, if its parent does not close it before


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
            first = still(len(frames))
            first.frames[:] = frames
            return DONE + encode_step(first)
        actions = np.frombuffer(message, np.float32, offset=1).reshape(-1, batch.spec.action_size)
        return DONE + encode_step(batch.step(actions))
    except UserError as mistake:
        return MISTAKE + bytes([mistake.exit_code]) + str(mistake).encode()
    except Exception:  # whatever it is, the parent must hear of it
        return FAILED + traceback.format_exc().encode()


def encode_seeds(seeds: Sequence[int]) -> bytes:
    """Seeds as raw int64."""
    return np.asarray(seeds, np.int64).tobytes()


def encode_step(step: BatchStep) -> bytes:
    """A step as raw arrays, one after the other; the number of lanes follows from the length."""
    return b"".join(
        [step.rewards.tobytes(), step.terminated.tobytes(), step.truncated.tobytes(), step.frames.tobytes()]
    )


def decode_step(content: bytes) -> BatchStep:
    """The inverse of `encode_step`; the arrays are read-only views of `content`."""
    lanes = len(content) // (4 + 1 + 1 + math.prod(FRAME_SHAPE))
    return BatchStep(
        rewards=np.frombuffer(content, np.float32, lanes),
        terminated=np.frombuffer(content, np.bool_, lanes, offset=4 * lanes),
        truncated=np.frombuffer(content, np.bool_, lanes, offset=5 * lanes),
        frames=np.frombuffer(content, np.uint8, offset=6 * lanes).reshape(lanes, *FRAME_SHAPE),
    )
