"""Worker processes: how they fail, and that they end."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

import numpy as np
import pytest

from wmframe.envs.gymnasium_pixels import GymnasiumPixels
from wmframe.envs.process_batch import ProcessBatch, cause
from wmframe.envs.toy import Toy
from wmframe.envs.toy_env import ToyEnv
from wmframe.errors import UserError

HOLDER = """
import sys, time
from wmframe.envs.process_batch import ProcessBatch
from wmframe.envs.toy import Toy

if __name__ == "__main__":
    batch = ProcessBatch(Toy(), 2)
    batch.reset([1, 2, 3])
    print(*(process.pid for process, _ in batch.workers), flush=True)
    time.sleep(60)
"""


@dataclass(frozen=True, kw_only=True)
class Broken(Toy):
    """An environment with a mistake in its code."""

    def make(self) -> ToyEnv:
        raise ZeroDivisionError("the wheel fell off")


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
    return [process.pid for process, _ in batch.workers if process.pid is not None]


def test_a_killed_worker_is_reported() -> None:
    with ProcessBatch(Toy(), 2) as batch:
        batch.reset([1, 2, 3])
        workers = pids(batch)
        os.kill(workers[1], signal.SIGKILL)
        assert wait_until_gone(workers[1:])
        with pytest.raises(UserError, match=r"worker 2 of 2 was killed by SIGKILL.*memory") as caught:
            batch.step(np.zeros((3, 1), np.float32))
        assert caught.value.exit_code == 1
        assert wait_until_gone(workers), "the other worker was left behind"


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
