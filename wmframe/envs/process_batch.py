"""A batch whose lanes are spread over worker processes, and that outlives any of them.

In: seeds, then actions (B, A). Out: what `SerialBatch` would give. Called by: whoever plays, through `make_batch`.
Lane i lives in worker i mod W; each worker is a `SerialBatch` behind a pipe (`worker.py` says what goes through it). A
worker that dies or hangs is replaced. Since what a lane does depends on its seed and its actions alone, a new worker
that is told all that the lost one was told since the last reset stands where it stood, bit for bit. Shapes: B lanes, A
action, W workers.
"""

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wmframe.engine.errors import UserError
from wmframe.envs.batch import BatchStep, EnvBatch, SerialBatch, check_actions, still
from wmframe.envs.spec import EnvSpec
from wmframe.envs.worker import RESET, STEP, LostError, WorkerProcess, decode_step, encode_seeds

PATIENCE = 60.0  # seconds
REPLACEMENTS = 3  # in one episode; whatever takes more than that will go on taking workers

_LOG = logging.getLogger(__name__)


class ProcessBatch(EnvBatch):
    """Lanes in `workers` processes, started once and kept from one reset to the next.

    A worker that is silent for `patience` seconds while an answer is due counts as lost, as a dead one does.
    """

    def __init__(self, spec: EnvSpec, workers: int, patience: float = PATIENCE) -> None:
        self.spec = spec
        self.patience = patience
        self.lanes = 0
        self.replaced = 0  # workers, since a reset was last completed
        self.workers = [self._start(f"environment worker {number + 1} of {workers}") for number in range(workers)]
        self.told: list[list[bytes]] = [[] for _ in self.workers]  # since the reset; an action takes 4·A bytes a lane

    def reset(self, seeds: Sequence[int]) -> NDArray[np.uint8]:
        """See `EnvBatch.reset`."""
        self.lanes = len(seeds)
        self.told = [[] for _ in self.workers]
        shares = [seeds[number :: len(self.workers)] for number in range(len(self.workers))]
        frames = self._exchange([RESET + encode_seeds(share) for share in shares]).frames
        self.replaced = 0
        return frames

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
        for worker, told, request in zip(self.workers, self.told, requests, strict=True):
            told.append(request)
            worker.ask(request)
        whole = still(self.lanes, self.spec.frame_shape)
        for number in range(len(requests)):
            part = decode_step(self._answer(number), self.spec.frame_shape)
            share = slice(number, None, len(self.workers))
            whole.frames[share], whole.rewards[share] = part.frames, part.rewards
            whole.terminated[share], whole.truncated[share] = part.terminated, part.truncated
        return whole

    def _answer(self, number: int) -> bytes:
        """One worker's answer to what it was told last, if need be from another in its place."""
        try:
            return self.workers[number].answer()
        except LostError as lost:
            return self._replace(number, lost)

    def _replace(self, number: int, lost: LostError) -> bytes:
        """Put a new worker in a lost one's place, tell it all again, and return its last answer: the one still due.

        Raises:
            UserError: too many were lost.
        """
        worker, told = self.workers[number], self.told[number]
        worker.end(patience=0.0)
        if self.replaced == REPLACEMENTS:
            raise UserError(
                f"{worker.name} {lost}. Since the last reset {REPLACEMENTS} were replaced; no more will be. What was "
                f"finished is kept; run the same command again to go on, with fewer workers if memory is short.",
                exit_code=1,
            )
        self.replaced += 1
        _LOG.warning(
            "%s %s; another takes its place, repeats %d steps and changes no result", worker.name, lost, len(told) - 1
        )
        self.workers[number] = worker = self._start(worker.name)
        answer = b""
        try:
            for request in told:
                worker.ask(request)
                answer = worker.answer()
        except LostError as again:
            return self._replace(number, again)
        return answer

    def _start(self, name: str) -> WorkerProcess:
        """A worker that knows of no lanes yet."""
        return WorkerProcess(self.spec, name=name, patience=self.patience)

    def close(self) -> None:
        """See `EnvBatch.close`."""
        for worker in self.workers:
            worker.dismiss()
        for worker in self.workers:
            worker.end()
        self.workers, self.told = [], []
        self.lanes = 0


def make_batch(spec: EnvSpec, workers: int) -> EnvBatch:
    """A batch over `workers` processes; with 0 or 1, in this process. The results are the same for any number."""
    return SerialBatch(spec) if workers <= 1 else ProcessBatch(spec, workers)


def make_batches(spec: EnvSpec, workers: int) -> list[EnvBatch]:
    """Batches for as many threads to step, each over one of `workers` processes; one in this process comes alone."""
    return [SerialBatch(spec)] if workers <= 1 else [ProcessBatch(spec, 1) for _ in range(workers)]
