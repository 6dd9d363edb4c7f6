"""Worker processes: that losing some changes nothing, how they fail for good, and that they end."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from wmframe.engine.errors import UserError
from wmframe.envs.batch import SerialBatch
from wmframe.envs.car_racing import CarRacing
from wmframe.envs.gymnasium_pixels import GymnasiumPixels
from wmframe.envs.pixel_env import PixelEnv
from wmframe.envs.process_batch import ProcessBatch
from wmframe.envs.spec import Action, EnvSpec
from wmframe.envs.toy import Toy, ToySimulator
from wmframe.envs.worker import RESET, LostError, WorkerProcess, cause, encode_seeds, encode_step

HOLDER = """
import sys, time
from wmframe.envs.process_batch import ProcessBatch
from wmframe.envs.toy import Toy

if __name__ == "__main__":
    batch = ProcessBatch(Toy(), 2)
    batch.reset([1, 2, 3])
    print(*(worker.process.pid for worker in batch.workers), flush=True)
    time.sleep(60)
"""


@dataclass(frozen=True, kw_only=True)
class Broken(Toy):
    """An environment with a mistake in its code."""

    def make(self) -> PixelEnv:
        raise ZeroDivisionError("the wheel fell off")


@dataclass(frozen=True, kw_only=True)
class Deadly(Toy):
    """An environment whose second frame takes the whole process with it."""

    def make(self) -> PixelEnv:
        return PixelEnv(self, DeadlySimulator(self))


class DeadlySimulator(ToySimulator):
    frames = 0

    def advance(self, action: Action) -> tuple[float, bool, bool]:
        self.frames += 1
        if self.frames == 2:
            os.kill(os.getpid(), signal.SIGSEGV)
        return super().advance(action)


def alive(pid: int) -> bool:
    """Whether a process runs: one that has ended but was not waited for does not."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_gone(pids: list[int], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(alive(pid) for pid in pids)


def pids(batch: ProcessBatch) -> list[int]:
    return [worker.process.pid for worker in batch.workers if worker.process.pid is not None]


class Attacked:
    """A batch whose workers get signals before some of its calls; remembers every process it ever had.

    `steps` says which workers are meant, by the step of an episode; the reset is step 0.
    """

    def __init__(self, batch: ProcessBatch, kind: signal.Signals, *, steps: dict[int, list[int]]) -> None:
        self.batch, self.kind, self.steps = batch, kind, steps
        self.pids = set(pids(batch))

    def attack(self, workers: list[int]) -> None:
        for worker in workers:
            os.kill(pids(self.batch)[worker], self.kind)

    def episode(self, seeds: list[int], actions: NDArray[np.float32]) -> list[bytes]:
        """Everything that a roll-out gives, as bytes."""
        self.attack(self.steps.get(0, []))
        seen = [self.batch.reset(seeds).tobytes()]
        for number, rows in enumerate(actions, 1):
            self.attack(self.steps.get(number, []))
            seen.append(encode_step(self.batch.step(rows)))
            self.pids |= set(pids(self.batch))
        return seen


def undisturbed(spec: EnvSpec, seeds: list[int], actions: NDArray[np.float32]) -> list[bytes]:
    """The same roll-out in this process."""
    with SerialBatch(spec) as batch:
        return [batch.reset(seeds).tobytes(), *(encode_step(batch.step(rows)) for rows in actions)]


def walk(lanes: int, steps: int, size: int = 1) -> NDArray[np.float32]:
    """Random actions (T, B, A) that let some walkers fall."""
    return np.random.default_rng(lanes).uniform(-1, 1, (steps, lanes, size)).astype(np.float32)


SEEDS = [11, 5, 5, 8, 2]


@pytest.mark.parametrize(
    "steps",
    [{0: [1]}, {1: [0]}, {7: [1]}, {7: [0, 1]}, {3: [1], 4: [1], 14: [1]}],
    ids=["before the reset", "at the first step", "midway", "both", "three times"],
)
def test_killed_workers_change_nothing(steps: dict[int, list[int]], caplog: pytest.LogCaptureFixture) -> None:
    spec, actions = Toy(max_frames=12), walk(5, 15)
    with ProcessBatch(spec, 2) as batch:
        attacked = Attacked(batch, signal.SIGKILL, steps=steps)
        for _ in range(2):
            assert attacked.episode(SEEDS, actions) == undisturbed(spec, SEEDS, actions)
    lost = [worker + 1 for workers in steps.values() for worker in workers] * 2
    assert [record.message[: len("environment worker 1")] for record in caplog.records] == [
        f"environment worker {worker}" for worker in lost
    ]
    for record in caplog.records:
        assert "was killed by SIGKILL" in record.message
        assert "changes no result" in record.message
        assert "\n" not in record.message
    assert len(attacked.pids) == 2 + len(lost)
    assert wait_until_gone(list(attacked.pids))


def test_a_hung_worker_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Stopped, it neither answers nor ends by itself."""
    spec, actions = Toy(max_frames=12), walk(5, 15)
    with ProcessBatch(spec, 2, patience=2.0) as batch:
        attacked = Attacked(batch, signal.SIGSTOP, steps={6: [1]})
        assert attacked.episode(SEEDS, actions) == undisturbed(spec, SEEDS, actions)
    assert "environment worker 2 of 2 gave no sign of life for 2 s" in caplog.text
    assert wait_until_gone(list(attacked.pids))


def test_a_killed_worker_changes_nothing_on_the_real_track() -> None:
    """Its worlds are new, those of the lost one had seen other tracks."""
    spec, actions = CarRacing(action_repeat=4, max_frames=60), walk(3, 17, 3)
    with ProcessBatch(spec, 2) as batch:
        batch.reset([9, 10, 11, 12])
        attacked = Attacked(batch, signal.SIGKILL, steps={9: [0]})
        assert attacked.episode([4, 2, 9], actions) == undisturbed(spec, [4, 2, 9], actions)


def test_a_worker_that_stops_in_the_middle_of_an_answer_is_lost() -> None:
    """A hundred frames are more than a pipe holds, so it has begun its answer and not ended it."""
    worker = WorkerProcess(Toy(), name="it", patience=1.0)
    assert worker.process.pid is not None
    worker.ask(RESET + encode_seeds([1]))
    worker.answer()
    worker.ask(RESET + encode_seeds(range(100)))
    assert worker.connection.poll(60)
    os.kill(worker.process.pid, signal.SIGSTOP)
    with pytest.raises(LostError, match="no sign of life for 1 s"):
        worker.answer()
    worker.end(patience=0.0)
    assert not alive(worker.process.pid)
    worker.end()


def test_a_completed_reset_is_a_new_beginning(caplog: pytest.LogCaptureFixture) -> None:
    """Six lost in all, never more than two since a reset."""
    with ProcessBatch(Toy(), 2) as batch:
        attacked = Attacked(batch, signal.SIGKILL, steps={1: [0], 2: [0]})
        for _ in range(3):
            attacked.episode([1, 2, 3], walk(3, 2))
    assert len(caplog.records) == 6


def test_the_fourth_lost_worker_ends_the_batch(caplog: pytest.LogCaptureFixture) -> None:
    with ProcessBatch(Toy(), 2) as batch:
        attacked = Attacked(batch, signal.SIGKILL, steps={2: [0, 1], 3: [0], 4: [1]})
        with pytest.raises(UserError, match=r"worker 2 of 2 was killed by SIGKILL.*3 were replaced.*memory") as caught:
            attacked.episode([1, 2, 3], walk(3, 6))
        assert caught.value.exit_code == 1
        assert len(caplog.records) == 3
        assert wait_until_gone(list(attacked.pids)), "the other worker was left behind"
        with pytest.raises(ValueError, match="closed"):
            batch.reset([1])


def test_what_kills_every_worker_ends_the_batch(caplog: pytest.LogCaptureFixture) -> None:
    """A replacement repeats what its predecessor died of."""
    with ProcessBatch(Deadly(), 1) as batch:
        batch.reset([1])
        batch.step(np.zeros((1, 1), np.float32))
        with pytest.raises(UserError, match="crashed with SIGSEGV, most likely inside a native library"):
            batch.step(np.zeros((1, 1), np.float32))
    assert [record.message.partition("repeats ")[2][:7] for record in caplog.records] == ["2 steps"] * 3


def test_causes_in_words() -> None:
    assert "SIGKILL" in cause(-9)
    assert "memory" in cause(-9)
    assert "SIGSEGV" in cause(-11)
    assert "native library" in cause(-11)
    assert "SIGTERM" in cause(-15)
    assert "exit code 3" in cause(3)
    assert "no longer answers" in cause(None)


def test_a_mistake_of_the_user_is_told_as_such() -> None:
    with (
        ProcessBatch(GymnasiumPixels(id="CartPoll-v1", action_size=2), 1) as batch,
        pytest.raises(UserError, match="CartPole-v1") as caught,
    ):
        batch.reset([1])
    assert caught.value.exit_code == 2


def test_a_mistake_in_the_code_comes_with_its_traceback() -> None:
    with (
        ProcessBatch(Broken(), 1) as batch,
        pytest.raises(RuntimeError, match="ZeroDivisionError: the wheel"),
    ):
        batch.reset([1])


def test_closing_ends_the_workers() -> None:
    batch = ProcessBatch(Toy(), 2)
    batch.reset([1])
    workers = pids(batch)
    batch.close()
    assert wait_until_gone(workers)
    batch.close()
    with pytest.raises(ValueError, match="closed"):
        batch.reset([1])


def test_workers_die_with_their_parent(tmp_path_factory: pytest.TempPathFactory) -> None:
    script = tmp_path_factory.mktemp("holder") / "holder.py"
    script.write_text(HOLDER)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        workers = [int(word) for word in holder.stdout.readline().split()]
        assert len(workers) == 2
        assert all(alive(pid) for pid in workers)
        holder.kill()
    assert wait_until_gone(workers)
