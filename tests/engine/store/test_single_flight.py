"""Real processes, really killed: what a store promises when it is not alone and not immortal."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.store.producers import (
    BEFORE,
    EARLY,
    HALF,
    HANG,
    POINTS,
    RENAMED,
    REQUEST,
    SEALED,
    STEPS,
    WRITTEN,
)
from wmframe.engine.store.single_flight import hold, try_hold
from wmframe.engine.store.store import Store

HERE = Path(__file__).parents[3]


class Room:
    """A folder in which processes obtain the same artefact."""

    def __init__(self, root: Path) -> None:
        self.store = root / "artefacts"
        self.ledger = root / "ledger.txt"
        self.ledger.touch()
        self.started: list[subprocess.Popen[str]] = []

    def start(self, point: str = "", seconds: float = 0.0) -> subprocess.Popen[str]:
        command = [
            sys.executable,
            "-m",
            "tests.engine.store.producers",
            str(self.store),
            str(self.ledger),
            point,
            str(seconds),
        ]
        process = subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, text=True)
        self.started.append(process)
        return process

    def finish(self, process: subprocess.Popen[str]) -> list[str]:
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        return output.splitlines()

    def steps(self) -> list[str]:
        return self.ledger.read_text().splitlines()

    def wait_for(self, line: str) -> None:
        deadline = time.monotonic() + 30
        while line not in self.steps():
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path)
    yield room
    for process in room.started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


REDONE = {BEFORE: STEPS, HALF: STEPS, EARLY: STEPS - STEPS // 2, WRITTEN: 0, SEALED: 0, RENAMED: 0}


@pytest.mark.parametrize("point", POINTS)
def test_killed_anywhere_the_same_call_finishes_with_the_same_bits(room: Room, tmp_path: Path, point: str) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    golden = room.finish(Room(whole).start())
    for _ in range(2):  # the second kill meets what the first one left
        killed = room.start(point)
        killed.communicate(timeout=60)
        if killed.returncode == 0:
            assert point in (EARLY, SEALED, RENAMED)
        else:
            assert killed.returncode == -signal.SIGKILL
    ran = len(room.steps())
    assert room.finish(room.start()) == golden
    assert Store(room.store).status("memory", REQUEST.key).state == "cached"
    redone = [line for line in room.steps()[ran:] if line != "run"]
    assert redone == [f"step {n}" for n in range(STEPS - REDONE[point], STEPS)]
    left = {path.name for path in (room.store / "memory").iterdir()}
    assert left == {REQUEST.key, f"{REQUEST.key}.lock"}


def test_eight_processes_compute_once(room: Room) -> None:
    outputs = [room.finish(process) for process in [room.start("", 0.3) for _ in range(8)]]
    assert room.steps() == ["run", *(f"step {n}" for n in range(STEPS))]
    assert len({output[-1] for output in outputs}) == 1
    assert json.loads(outputs[0][-1]).keys() == {"empty.txt", "facts.json", "shards/0.npy"}
    waiting = [line for output in outputs for line in output if "waiting for process" in line]
    assert 1 <= len(waiting) <= 7
    assert all(len(output) <= 2 for output in outputs)


def test_when_the_owner_is_killed_another_takes_over_where_it_stopped(room: Room) -> None:
    owner = room.start(HANG)
    room.wait_for("step 1")
    waiting = [room.start() for _ in range(3)]
    assert waiting[0].stdout is not None
    assert f"process {owner.pid}" in waiting[0].stdout.readline()
    owner.kill()
    killed = time.monotonic()
    for process in waiting:
        room.finish(process)
    assert time.monotonic() - killed < 10
    assert room.steps() == ["run", "step 0", "step 1", "run", "step 2", "step 3"]


def test_a_child_of_a_dead_owner_holds_nothing_up(tmp_path: Path) -> None:
    """A forked worker that outlives its parent inherits open files, and must not keep the lock with them."""
    code = (
        "import os, sys, time, signal\nfrom pathlib import Path\n"
        "from wmframe.engine.store.single_flight import hold\n"
        "with hold(Path(sys.argv[1]), 'x', print):\n"
        "    child = os.fork()\n"
        "    if child == 0:\n        time.sleep(60)\n"
        "    print(child, flush=True)\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = tmp_path / "a.lock"
    owner = subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    child = int(owner.stdout.readline())
    try:
        owner.wait(timeout=30)
        # The child lets go of what it inherited as soon as it first runs, which may be after its parent died.
        until = time.monotonic() + 30
        while (lock := try_hold(path)) is None and time.monotonic() < until:
            time.sleep(0.05)
        assert lock is not None
        with lock:
            os.kill(child, 0)  # it is still there
    finally:
        os.kill(child, signal.SIGKILL)
        owner.communicate()


def test_a_held_lock_is_not_had_twice_and_says_who_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with hold(path, "x", print) as alone:
        assert alone
        assert try_hold(path) is None
        assert json.loads(path.read_text())["pid"] == os.getpid()
    lock = try_hold(path)
    assert lock is not None
    lock.__exit__(None, None, None)
