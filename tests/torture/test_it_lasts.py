"""What goes on for days: memory, file handles and logs that do not grow, state that grows by a line, many runs.

The soak runs every main loop for a while in a process of its own (`soak.py`) and looks at what that process holds.
"""

import errno
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.runs import hashes, record, run
from tests.torture.apart import lines_of
from tests.torture.conftest import Figure
from tests.torture.machine import TINY
from tests.torture.scale import FULL, times
from wmframe.cli.main import main

DAY = 86_400
LOOPS = ("collect", "vision", "memory", "controller", "evaluate", "dashboard")
Sample = dict[str, Any]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def soaked(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    """Samples of all loops: 100 s each in full, a few in CI."""
    where, seconds = str(tmp_path_factory.mktemp("soak")), str(times(100, 3))
    return lines_of("tests.torture.soak", where, seconds, environment={**os.environ, "OMP_NUM_THREADS": "1"})


def slope(seconds: np.ndarray, held: np.ndarray) -> float:
    """The median slope between any two samples (Theil and Sen's regression), bytes a second.

    A heap grows by steps as it finds its size. Least squares takes one such step for a slope; a leak goes on.
    """
    first, second = np.triu_indices(len(seconds), 1)
    return float(np.median((held[second] - held[first]) / (seconds[second] - seconds[first])))


def test_a_leak_has_a_slope_and_a_step_has_none() -> None:
    seconds = np.arange(0, 60, 0.25)
    noise = np.random.default_rng(0).normal(0, 1000, len(seconds))
    assert slope(seconds, 1e9 + 2e6 * (seconds > 20)) == 0
    assert slope(seconds, 1e9 + 4096 * np.floor(seconds * 2) + noise) == pytest.approx(8192, rel=0.1)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_loop_holds_no_more_the_longer_it_runs(soaked: list[Sample], loop: str, figure: Figure) -> None:
    samples = [sample for sample in soaked if sample["loop"] == loop]
    warm = samples[len(samples) // 2 if FULL else len(samples) * 2 // 3 :]
    assert len(warm) >= (50 if FULL else 2)
    seconds, held = (np.array([sample[name] for sample in warm], float) for name in ("seconds", "bytes"))
    assert max(sample["files"] for sample in warm) <= warm[0]["files"] + (1 if loop == "collect" else 0)
    a_day = DAY * (samples[-1]["log"] - samples[0]["log"]) / (samples[-1]["seconds"] - samples[0]["seconds"])
    assert a_day < 50e6
    if not FULL:
        # Seconds are too few for a slope; what they could show is a loop that keeps what it sees.
        assert held[-1] - held[0] < 30e6, f"{held[0] / 1e6:.0f} MB, then {held[-1] / 1e6:.0f}"
        return
    an_hour = 3600 * slope(seconds, held) / float(held.mean())
    figure(f"{loop}: growth of memory, % an hour", round(100 * an_hour, 3))
    figure(f"{loop}: memory, MB", round(float(held.mean()) / 1e6))
    figure(f"{loop}: log, MB a day", round(a_day / 1e6, 2))
    assert an_hour < 0.01


def refuse(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "weights.safetensors")


def test_a_search_keeps_a_line_a_generation_and_replays_it_quickly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figure: Figure
) -> None:
    generations = times(1000, 40)
    long = (*TINY, f"search.generations={generations}", "search.population=16")
    with monkeypatch.context() as patch:
        patch.setattr("wmframe.stages.controller.save_controller", refuse)
        assert main(["run", *long, f"paths.root={tmp_path}"]) == 1
    [resume] = tmp_path.glob("artefacts/controller/*.work/resume")
    ledger = resume / "generations.jsonl"
    sizes = np.array([len(line) for line in ledger.read_bytes().splitlines()[-generations:]])
    tenth = generations // 10
    assert abs(sizes[-tenth:].mean() / sizes[tenth : 2 * tenth].mean() - 1) < 0.1
    assert sizes.max() < 1000
    history = resume.parent / "output" / "history.jsonl"
    rows = np.array([len(line) for line in history.read_bytes().splitlines()])
    assert len(rows) == generations
    assert rows.max() < 300
    folder = run(*long, root=tmp_path)
    [found] = [stage for stage in record(folder)["stages"] if stage["stage"] == "controller"]
    assert found["state"] == "ran"
    figure("bytes of state a generation of 16", round(float(sizes.mean())))
    figure(f"seconds to replay {generations} generations of 16", round(found["seconds"], 2))
    if FULL:
        fresh = run(*long, root=tmp_path / "fresh")
        assert hashes(tmp_path) == hashes(tmp_path / "fresh")
        assert record(fresh)["scores"] == record(folder)["scores"]


@pytest.fixture
def many_runs(tmp_path: Path) -> tuple[Path, int]:
    """A folder of finished runs, copies of one."""
    run(*TINY, root=tmp_path)
    [one] = [path for path in (tmp_path / "runs").iterdir() if not path.is_symlink()]
    number = times(10_000, 400)
    for copy in range(number - 1):
        folder = tmp_path / "runs" / f"20200101-000000-toy-{copy:06}"
        folder.mkdir()
        for name in ("run.json", "config.yaml"):
            shutil.copy(one / name, folder)
    for manifest in list(tmp_path.glob("artefacts/*/*/manifest.json")):
        for copy in range(number):
            folder = manifest.parent.with_name(f"{copy:016x}")
            folder.mkdir()
            shutil.copy(manifest, folder)
    return tmp_path, number


def opened(root: Path, act: Callable[[], object]) -> list[str]:
    """The files below `root` that are opened meanwhile."""
    seen: list[str] = []
    listening = True

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if listening and event == "open" and str(arguments[0]).startswith(str(root)):
            seen.append(str(arguments[0]))

    sys.addaudithook(hook)
    act()
    listening = False
    return seen


def test_status_reads_only_what_it_shows(
    many_runs: tuple[Path, int], capsys: pytest.CaptureFixture[str], figure: Figure
) -> None:
    root, number = many_runs
    seen = opened(root, lambda: main(["status", f"root={root}"]))
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) == 51
    assert shown[0].startswith(f"{number - 50:,} older runs are not shown")
    assert len({Path(file).parent for file in seen}) == 50, "files are opened for runs that are not shown"
    assert len(seen) <= 4 * 50
    assert main(["status", "last=7", f"root={root}"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 8
    if FULL:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "wmframe", "status", f"root={root}"], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        figure(f"seconds of processor for status over {number} runs", round(seconds, 2))
