"""N identical jobs compute once: sixteen processes, one cache.

That a stage ran is seen twice over: in the run's record, and in the line that every execution of a stage prints.
"""

import re
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.runs import hashes, record
from tests.sweeps import TINY
from tests.torture.conftest import Figure
from tests.torture.forge import Child, Forge
from tests.torture.scale import times

TOGETHER = 16
STAGES = {"collect.1", "vision.1", "latents.1_1", "memory.1", "controller.1", "agent", "baseline", "evaluate"}


def together(forge: Forge, root: Path, *, count: int = TOGETHER, fault: str | None = None) -> list[Child]:
    """Start processes that all want the same run, their pages aside."""
    return [forge.start(*TINY, f"paths.root={root}", do="compute", fault=fault) for _ in range(count)]


def finished(forge: Forge, children: Sequence[Child]) -> None:
    """Wait for all of them; none may fail."""
    for child in children:
        assert forge.finish(child, seconds=300) == 0, child.said()


def began(children: Sequence[Child], word: str = "starting:") -> Counter[str]:
    """How often each stage was begun, by what the processes said."""
    return Counter(re.findall(rf"^(\S+)  {word}", "\n".join(child.said() for child in children), re.MULTILINE))


def ran(root: Path) -> Counter[str]:
    """How often each stage ran, by the records of all runs."""
    stages = [stage for path in root.glob("runs/[0-9]*") for stage in record(path)["stages"]]
    return Counter(stage["name"] for stage in stages if stage["state"] == "ran")


@pytest.fixture(scope="module")
def alone(forge: Forge, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """The hashes of a process that was alone."""
    root = tmp_path_factory.mktemp("alone")
    finished(forge, together(forge, root, count=1))
    return hashes(root)


@pytest.mark.slow
@pytest.mark.parametrize("_", range(times(30, 1)))
def test_sixteen_processes_compute_each_stage_once(
    forge: Forge, alone: dict[str, dict[str, str]], tmp_path: Path, _: int, figure: Figure
) -> None:
    children = together(forge, tmp_path)
    finished(forge, children)
    assert began(children) == ran(tmp_path) == dict.fromkeys(STAGES, 1)
    assert hashes(tmp_path) == alone
    scores = [record(path)["scores"] for path in tmp_path.glob("runs/[0-9]*")]
    assert len(scores) == TOGETHER
    assert all(score == scores[0] for score in scores)
    figure("processes that waited", sum("waiting for process" in child.said() for child in children))
    shutil.rmtree(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("_", range(times(20, 1)))
def test_when_the_owner_is_killed_exactly_one_takes_over(
    forge: Forge, alone: dict[str, dict[str, str]], tmp_path: Path, _: int, figure: Figure
) -> None:
    """The owner stands still in a fit, holding the lock, until all the others wait for it; then it is killed."""
    [owner] = together(forge, tmp_path, count=1, fault="fit.step:2:SIGSTOP")
    until(lambda: "vision.1  starting" in owner.said())
    others = together(forge, tmp_path, count=TOGETHER - 1)
    until(lambda: all(f"waiting for process {owner.pid}" in child.said() for child in others))
    assert began(others) == {}
    owner.send(signal.SIGKILL)
    killed = time.monotonic()
    until(lambda: began(others)["vision.1"] > 0)
    figure("seconds until another took over", round(time.monotonic() - killed, 2))
    assert time.monotonic() - killed < 10
    finished(forge, others)
    assert forge.finish(owner) == -signal.SIGKILL
    assert began(others) == ran(tmp_path) - Counter(["collect.1"]) == dict.fromkeys(STAGES - {"collect.1"}, 1)
    assert hashes(tmp_path) == alone
    shutil.rmtree(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("_", range(times(5, 1)))
def test_without_locks_work_is_doubled_and_results_are_not(
    forge: Forge, alone: dict[str, dict[str, str]], tmp_path: Path, _: int, figure: Figure
) -> None:
    """As on a file system that has no locks: the rename alone decides whose result stands."""
    children = together(forge, tmp_path, count=times(TOGETHER, 4), fault="flock:*:ENOLCK")
    finished(forge, children)
    assert all("this file system has no locks" in child.said() for child in children)
    assert began(children)["collect.1"] > 1
    assert hashes(tmp_path) == alone
    assert not [path for path in tmp_path.glob("artefacts/*/*") if "work" in path.name or "damaged" in path.name]
    figure("executions of all stages", sum(began(children).values()))
    shutil.rmtree(tmp_path)


def until(there: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end
        time.sleep(0.02)
