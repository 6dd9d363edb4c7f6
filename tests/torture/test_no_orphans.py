"""However a run, a sweep or the dashboard ends, none of its workers lives on, and no memory and no port is kept."""

import importlib.util
import itertools
import re
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runs import hashes
from tests.sweeps import TINY, ends, the_sweep
from tests.torture.conftest import Figure
from tests.torture.forge import Child, Forge
from tests.torture.scale import FULL, cases
from tests.torture.test_kill_matrix import CODES
from wmframe.engine.durability.parent_process import children

SIGNALS = {name: signal.Signals[name] for name in CODES}
GONE = 10.0
"""Seconds that whoever is left may take."""

PROCESSES = (*TINY, "trainer.workers=2", "tracker=wandb_offline")
"""Two environment workers, and W&B's process with what it starts."""

SWEEP = (*TINY, "vision.steps=80", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "seed=1,2,3")
needs_joblib = pytest.mark.skipif(
    importlib.util.find_spec("hydra_plugins.hydra_joblib_launcher") is None, reason="needs joblib"
)


def until(there: Callable[[], bool], seconds: float, otherwise: Callable[[], object]) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end, otherwise()
        time.sleep(0.02)


def descendants(pid: int) -> set[int]:
    """All processes below one."""
    below = set(children(pid))
    return below.union(*(descendants(child) for child in below))


def shared_memory() -> set[str]:
    """The names of all segments."""
    return {path.name for path in Path("/dev/shm").iterdir()}  # noqa: S108 (only looked at)


def ports() -> set[str]:
    """The local addresses on which somebody listens."""
    rows = [line.split() for kind in ("tcp", "tcp6") for line in _rows(Path(f"/proc/net/{kind}"))]
    return {row[1] for row in rows if row[3] == "0A"}


def _rows(table: Path) -> list[str]:
    return table.read_text().splitlines()[1:] if table.is_file() else []


def end(forge: Forge, child: Child, sent: str, figure: Figure) -> int:
    """Send a signal and see that the process goes, and all of its own with it; return its exit code."""
    child.send(SIGNALS[sent])
    child.send(signal.SIGCONT)
    asked = time.monotonic()
    code = forge.finish(child, seconds=GONE)
    figure("seconds until it was gone", round(time.monotonic() - asked, 2))
    assert forge.left(after=GONE) == []
    figure("seconds until its workers were", round(time.monotonic() - asked, 2))
    return code


@pytest.mark.slow
@pytest.mark.parametrize(
    ("point", "sent"),
    cases(list(itertools.product(("rollout.step:5", "fit.step:2", "search.generation", "report.written"), CODES)), 2),
)
def test_a_runs_workers_go_with_it(forge: Forge, tmp_path: Path, point: str, sent: str, figure: Figure) -> None:
    """The run stands still at the point while its workers are counted, and is then ended."""
    memory, listening = shared_memory(), ports()
    child = forge.start("run", *PROCESSES, f"paths.root={tmp_path}", fault=f"{point}:SIGSTOP")
    until(lambda: stands(child), 60, child.said)
    expected = 3 if point.startswith("rollout") else 1
    until(lambda: len(descendants(child.pid)) >= expected, 30, lambda: descendants(child.pid))
    assert end(forge, child, sent, figure) == CODES[sent], child.said()
    assert shared_memory() <= memory
    assert ports() <= listening


def stands(child: Child) -> bool:
    """Tell whether a process has stopped itself."""
    return Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def at_work(root: Path) -> int:
    """How many fits have done a few steps and are not at their end."""
    return sum(path.stat().st_size > 0 for path in root.glob("artefacts/vision/*.work/output/history.jsonl"))


@pytest.fixture(scope="module")
def swept(forge: Forge, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """The hashes of a sweep that nobody interrupted; outside of `make torture`, tests/test_sweep.py has one."""
    if not FULL:
        return {}
    root = tmp_path_factory.mktemp("swept")
    code, said = forge.run("run", "-m", *SWEEP, f"paths.root={root}")
    assert code == 0, said
    return hashes(root)


@pytest.mark.slow
@needs_joblib
@pytest.mark.parametrize("sent", cases(["SIGKILL", "SIGINT", "SIGTERM"], 1))
def test_a_sweeps_workers_go_with_it_and_compute_no_more(
    forge: Forge, swept: dict[str, dict[str, str]], tmp_path: Path, sent: str, figure: Figure
) -> None:
    memory, listening = shared_memory(), ports()
    broken = tmp_path / "broken"
    child = forge.start("run", "-m", *SWEEP, f"paths.root={broken}")
    until(lambda: at_work(broken) == 2, 120, child.said)
    assert len(descendants(child.pid)) >= 2
    assert end(forge, child, sent, figure) == CODES[sent], child.said()
    assert shared_memory() <= memory
    assert ports() <= listening
    assert ends(the_sweep(broken)) == {"stopped": 2, "waiting": 1}
    there = hashes(broken)
    time.sleep(1)
    assert hashes(broken) == there, "somebody is still computing"
    if sent != "SIGKILL":
        assert len(list(broken.glob("artefacts/vision/*.work/resume/fit/state.json"))) == 2, "not saved"
    if FULL:
        code, said = forge.run("run", "-m", *SWEEP, f"paths.root={broken}")
        assert code == 0, said
        assert hashes(broken) == swept
        assert forge.left(after=GONE) == []


@pytest.mark.slow
def test_a_sweep_in_one_process_stops_with_its_job(forge: Forge, tmp_path: Path) -> None:
    command = ("run", "-m", *TINY, "seed=1,2", f"paths.root={tmp_path}")
    code, said = forge.run(*command, fault="fit.step:3:SIGTERM")
    assert code == CODES["SIGTERM"], said
    assert said.rstrip().endswith(f"wmframe {' '.join(command)}")
    assert ends(the_sweep(tmp_path)) == {"stopped": 1, "waiting": 1}
    code, said = forge.run(*command)
    assert code == 0, said
    assert ends(the_sweep(tmp_path)) == {"finished": 2}


@pytest.mark.parametrize("sent", ["SIGTERM", "SIGINT", "SIGKILL"])
def test_the_dashboard_lets_go_of_its_port(forge: Forge, tmp_path: Path, sent: str, figure: Figure) -> None:
    child = forge.start("dashboard", "--port", "0", "--root", str(tmp_path))
    until(lambda: "Ctrl-C ends it" in child.said(), 30, child.said)
    found = re.search(r":(\d+)/", child.said())
    assert found is not None
    assert end(forge, child, sent, figure) == (0 if sent == "SIGINT" else CODES[sent])
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", int(found[1])))
