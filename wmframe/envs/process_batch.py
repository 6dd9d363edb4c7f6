"""A batch whose lanes are spread over worker processes.

In: seeds, then actions (B, A). Out: what `SerialBatch` would give. Called by: `make_batch`. Lane i lives
in worker i mod W; each worker is a `SerialBatch` behind a pipe (`worker.py` says what goes through it).
Shapes: B lanes, A action.
"""

import contextlib
import multiprocessing
import signal
from collections.abc import Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from wmframe.envs.batch import BatchStep, EnvBatch, check_actions, still
from wmframe.envs.spec import EnvSpec
from wmframe.envs.worker import CLOSE, FAILED, MISTAKE, RESET, STEP, decode_step, encode_seeds, serve
from wmframe.errors import UserError

PATIENCE = 5.0  # seconds a worker gets to end by itself


class ProcessBatch(EnvBatch):
    """Lanes in `workers` processes, started once and kept from one reset to the next.

    The workers are spawned, so that they inherit neither threads nor open files, and end with this process.
    """

    def __init__(self, spec: EnvSpec, workers: int) -> None:
        self.spec = spec
        self.lanes = 0
        self.workers: list[tuple[BaseProcess, Connection]] = []
        context = multiprocessing.get_context("spawn")
        for number in range(workers):
            ours, theirs = context.Pipe()
            process = context.Process(
                target=serve,
                args=(theirs, spec),
                name=f"environment worker {number + 1} of {workers}",
                daemon=True,
            )
            process.start()
            theirs.close()  # so that the pipe ends when the worker does
            self.workers.append((process, ours))

    def reset(self, seeds: Sequence[int]) -> NDArray[np.uint8]:
        """See `EnvBatch.reset`."""
        self.lanes = len(seeds)
        shares = [seeds[number :: len(self.workers)] for number in range(len(self.workers))]
        return self._exchange([RESET + encode_seeds(share) for share in shares]).frames

    def step(self, actions: NDArray[np.float32]) -> BatchStep:
        """See `EnvBatch.step`."""
        check_actions(actions, self.lanes, self.spec.action_size)
        rows = actions.astype(np.float32, copy=False)
        return self._exchange([STEP + rows[n :: len(self.workers)].tobytes() for n in range(len(self.workers))])

    def _exchange(self, requests: Sequence[bytes]) -> BatchStep:
        """Send every worker its request, then gather the answers, lane by lane.

        Whatever interrupts this, Ctrl-C too, closes the batch: answers left in a pipe would pass for
        later ones.
        """
        if not self.workers:
            raise ValueError("this batch is closed")
        try:
            return self._gather(requests)
        except BaseException:
            self.close()
            raise

    def _gather(self, requests: Sequence[bytes]) -> BatchStep:
        """One request to each worker, and their answers put together."""
        for number, request in enumerate(requests):
            try:
                self.workers[number][1].send_bytes(request)
            except OSError:
                self._report_death(number)
        whole = still(self.lanes)
        for number in range(len(requests)):
            part = decode_step(self._receive(number))
            share = slice(number, None, len(self.workers))
            whole.frames[share], whole.rewards[share] = part.frames, part.rewards
            whole.terminated[share], whole.truncated[share] = part.terminated, part.truncated
        return whole

    def _receive(self, number: int) -> bytes:
        """One worker's answer; what went wrong there is raised here."""
        try:
            kind, answer = split(self.workers[number][1].recv_bytes())
        except (EOFError, OSError):
            self._report_death(number)
        if kind == MISTAKE:
            raise UserError(answer[1:].decode(), exit_code=answer[0])
        if kind == FAILED:
            raise RuntimeError(f"in an environment worker:\n{answer.decode()}")
        return answer

    def _report_death(self, number: int) -> NoReturn:
        """Say which worker died of what."""
        process = self.workers[number][0]
        process.join(PATIENCE)
        raise UserError(
            f"{process.name} {cause(process.exitcode)}. What was finished is kept; run the same command again "
            f"to go on, with fewer workers if memory is short.",
            exit_code=1,
        )

    def close(self) -> None:
        """See `EnvBatch.close`."""
        for _, connection in self.workers:
            with contextlib.suppress(OSError):
                connection.send_bytes(CLOSE)
            connection.close()
        for process, _ in self.workers:
            process.join(PATIENCE)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()
        self.workers = []
        self.lanes = 0


def split(message: bytes) -> tuple[bytes, bytes]:
    """A message's kind, one byte, and its content."""
    return message[:1], message[1:]


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
