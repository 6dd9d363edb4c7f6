"""`python -m tests.torture.soak ROOT SECONDS`: each main loop for so long, and what the process holds meanwhile.

The stages are the real ones, on the real track, with budgets that they will not reach; the clock of their progress bars
takes the samples and ends them. One JSON line a sample goes out: loop, seconds since the process began, bytes of memory
of this process and of its workers, open files, bytes of the log.
"""

import io
import itertools
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Final

from tests.torture.scale import times

# Other imports are where they are used: environment workers import this module again, and need none of them.

TRACK: Final = (
    *("env=car_racing", "preset=smoke", "tracker=none", "env.action_repeat=4", f"env.max_frames={times(400, 48)}"),
    *("vision.steps=2", "memory.steps=2", "search.generations=1", "evaluate.episodes=2", "trainer.save_seconds=5"),
)
LOOPS: Final = {
    "collect": ("collect.1", ["collect.first.brownian.episodes=100000"]),
    "vision": ("vision.1", ["vision.steps=1000000"]),
    "memory": ("memory.1", ["memory.steps=1000000"]),
    "controller": ("controller.1", ["search.generations=1000000"]),
    "evaluate": ("evaluate", ["evaluate.episodes=100000"]),
}
"""The stage of each loop, and the budget that it will not reach."""

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_APART: Final = 0.25
"""Seconds between two samples, at least."""

_LONGER: Final = {"collect": times(6, 1), "controller": times(3, 1), "evaluate": times(6, 1)}
"""How many times as long as the others: workers' heaps go up and down by 0.2 MB, where 1 % an hour is 12 MB, and a
search's own is warm after a minute or two."""

_FEWEST: Final = {"collect": 24}
"""Samples of a loop, however slow the machine is; else 6. Collection is warm from its third batch on."""


class Enough(BaseException):
    """The time of a loop is up."""


class Sampler:
    """A clock that looks at the process whenever it is asked for the time, and ends the loop when it is over."""

    def __init__(self, log: io.StringIO) -> None:
        self._log = log
        self._began = time.monotonic()
        self._loop, self._until, self._last, self._taken = "", 0.0, 0.0, 0

    def begin(self, loop: str, seconds: float) -> None:
        """Sample from now on, for so long."""
        self._loop, self._until, self._taken = loop, time.monotonic() + seconds, 0

    def __call__(self) -> float:
        """Return the time."""
        now = time.monotonic()
        if self._loop and now - self._last >= _APART:
            self._last = now
            self._taken += 1
            self._say(now)
        if self._loop and now > self._until and self._taken >= _FEWEST.get(self._loop, 6):
            self._loop = ""
            raise Enough
        return now

    def _say(self, now: float) -> None:
        sample = {
            "loop": self._loop,
            "seconds": now - self._began,
            "bytes": sum(map(_resident, [os.getpid(), *_children()])),
            "files": len(os.listdir("/proc/self/fd")),
            "log": self._log.tell(),
        }
        print(json.dumps(sample), flush=True)


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except FileNotFoundError:
        return 0


def _children() -> Iterator[int]:
    for thread in Path("/proc/self/task").iterdir():
        yield from map(int, (thread / "children").read_text().split())


def _stage(root: Path, sampler: Sampler, log: io.StringIO, loop: str, seconds: float) -> None:
    from wmframe.cli.prepare import EXPERIMENT
    from wmframe.engine.config.bind import bind
    from wmframe.engine.config.compose import compose
    from wmframe.engine.graph.recipe import nodes_of
    from wmframe.engine.machine import Machine
    from wmframe.engine.runs.worker import Worker
    from wmframe.engine.tracking.progress import Progress
    from wmframe.stages import fit

    name, budget = LOOPS[loop]
    setattr(fit, "time", SimpleNamespace(monotonic=sampler))  # noqa: B010  # asked at every step; bars are not
    small, large = (
        {node.name: node for node in nodes_of(bind(compose([*words, f"paths.root={root}"]), target=EXPERIMENT))}
        for words in (TRACK, [*TRACK, *budget])
    )
    machine = Machine(threads=1, workers=2, save_seconds=5)
    machine.settle()
    worker = Worker(root, machine, ("wmframe",), Progress(log, clock=sampler))
    for before in itertools.takewhile(lambda node: node != name, small):
        worker.obtain(small[before], {})
    parents = {role: small[parent.name] for role, parent in large[name].parents.items()}
    sampler.begin(loop, seconds)
    try:
        worker.obtain(replace(large[name], parents=parents), {})
    except Enough:
        return
    raise RuntimeError(f"{loop} came to its end")


def _same_tracks() -> None:
    """Let every lane meet the same track each time.

    A worker's heap grows a step whenever its tracks are larger together than any before, for hours. That is no leak,
    and hides one.
    """
    from wmframe.envs.process_batch import ProcessBatch

    begin = ProcessBatch.reset
    setattr(ProcessBatch, "reset", lambda self, seeds: begin(self, range(len(seeds))))  # noqa: B010


def _dashboard(root: Path, sampler: Sampler, seconds: float) -> None:
    from wmframe.dashboard.overview import Project

    project = Project(root)
    sampler.begin("dashboard", seconds)
    try:
        while True:
            project.overview()
            project.shared_by()
            sampler()
    except Enough:
        return


def main(root: Path, seconds: float) -> None:
    """Run every loop once, one after the other."""
    from wmframe.cli.main import main as wmframe

    out, sys.stdout = sys.stdout, sys.stderr
    for seed in range(2):
        assert wmframe(["run", *TRACK, f"seed={seed}", f"paths.root={root}"]) == 0
    sys.stdout = out
    _same_tracks()
    log = io.StringIO()
    sampler = Sampler(log)
    for loop in LOOPS:
        _stage(root, sampler, log, loop, seconds * _LONGER.get(loop, 1))
    _dashboard(root, sampler, seconds)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
