"""36 jobs, two at a time, one that fails, and all of it killed once in the middle: as if nothing had happened."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.runs import hashes
from tests.sweeps import FRAGILE, PLUGINS, TINY, ends, the_sweep
from wmframe.engine.runs.sweeps import Sweep

BREAKS = "controller.breaks={latent_size: 8, mixtures: 1, temperature: 1.15, seed: 3}"
SWEEP = (
    *(
        *(word for word in TINY if not word.startswith("vision.latent_size")),
        *FRAGILE,
        BREAKS,
        "hydra/launcher=joblib",
        "hydra.launcher.n_jobs=2",
    ),
    *("vision.latent_size=4,8", "memory.mixtures=1,5", "world.temperature=0.5,1.0,1.15", "seed=1,2,3"),
)
EACH_ONCE = {
    "collect": 3,
    "vision": 2 * 3,
    "latents": 2 * 3,
    "memory": 2 * 2 * 3,
    "controller": 35,
    "baseline": 1,
    "evaluate": 35,
}


def start_sweep(root: Path, said: Path) -> "subprocess.Popen[bytes]":
    """Start the sweep in a process group of its own, for all of it to be killed at once."""
    root.mkdir(exist_ok=True)
    with said.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "wmframe", "run", "-m", *SWEEP],
            cwd=root,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(PLUGINS), *sys.path])},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def swept(root: Path, *, kill_at: int | None = None) -> tuple[Sweep, str]:
    """Run the sweep to its end, killed once when `kill_at` of its jobs have finished; return what it said too."""
    said = root.with_suffix(".txt")
    process = start_sweep(root, said)
    if kill_at is not None:
        while len(list(root.glob("sweeps/latest/jobs/*.json"))) < kill_at + 2:
            assert process.poll() is None, said.read_text()
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        while "running" in ends(the_sweep(root)):  # until the kernel has taken the locks from the last of them
            time.sleep(0.02)
        assert ends(the_sweep(root)).keys() == {"finished", "stopped", "waiting"}
        said.unlink()
        process = start_sweep(root, said)
    assert process.wait(timeout=600) == 1, said.read_text()
    return the_sweep(root), said.read_text()


def made(root: Path) -> dict[str, int]:
    """How many results of each stage were computed."""
    stages = [name.partition("/")[0] for name in hashes(root)]
    return {stage: stages.count(stage) for stage in EACH_ONCE}


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("hydra_plugins.hydra_joblib_launcher") is None, reason="needs joblib")
def test_a_sweep_killed_in_the_middle_ends_as_an_uninterrupted_one(tmp_path: Path) -> None:
    broken, said = swept(tmp_path / "broken", kill_at=12)
    whole, said_whole = swept(tmp_path / "whole")
    assert made(broken.root) == made(whole.root) == EACH_ONCE
    assert ends(broken) == ends(whole) == {"failed": 1, "finished": 35}
    [failed] = [job for job in broken.jobs() if job.state == "failed"]
    assert failed.error == "ArithmeticError: the steering column came off"
    assert {"vision.latent_size=8", "memory.mixtures=1", "world.temperature=1.15", "seed=3"} < set(failed.overrides)

    assert _table(said) == _table(said_whole)
    assert len(_table(said)) == 36
    assert (broken.folder / "table.md").read_text() == (whole.folder / "table.md").read_text()
    assert hashes(broken.root) == hashes(whole.root)

    # "Once" is meant of the work, too: what was done before the kill was found, not done again.
    assert said_whole.count("vision.1  starting") == EACH_ONCE["vision"]
    assert "finished before and are not run again" in said


def _table(said: str) -> list[str]:
    return [line for line in said.splitlines() if " finished  vision." in line or " failed    vision." in line]
