"""Sweep folders: what a multirun was asked to do, and how each of its jobs stands.

    sweeps/world_model-1f0c22a4b9d3/
        sweep.json         the command, what all jobs share, and what each adds
        jobs/0001.json     how job 1 stands: waiting, running, finished or failed, its run and its error
        jobs/0001.lock     held while job 1 goes on
    sweeps/latest          a link to the sweep that was begun or gone on with last

The folder's name is a digest of the jobs' whole configs, so the same command finds the same sweep and does what is
missing. Called by `wmframe run -m`, which writes, and by the reports, which read.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from wmframe.errors import UserError
from wmframe.files import read_json

JobState = Literal["waiting", "running", "finished", "failed", "stopped"]
"""How a job stands; "stopped" is one whose process is gone without a word, and is never written."""


@dataclass(frozen=True, kw_only=True)
class SweepRecord:
    """sweep.json. `jobs` holds every job's overrides, those that all share included, in the order of their numbers."""

    name: str
    command: str
    started: str
    jobs: tuple[tuple[str, ...], ...]
    ablation: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class JobRecord:
    """jobs/NNNN.json. `run` is the name of the job's last run under runs/, empty before there is one."""

    number: int
    overrides: tuple[str, ...]
    state: JobState
    run: str = ""
    error: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Sweep:
    """A sweep's folder. `root` is where its artefacts and runs lie."""

    folder: Path

    @property
    def root(self) -> Path:
        """The project's folder, two above this one."""
        return self.folder.parent.parent

    def record(self) -> SweepRecord:
        """Return sweep.json."""
        plain = read_json(self.folder / "sweep.json")
        return SweepRecord(**{**plain, "jobs": tuple(map(tuple, plain["jobs"]))})

    def jobs(self) -> list[JobRecord]:
        """Return how every job stands, by number; one that nobody has begun is waiting."""
        return [self._job(number, overrides) for number, overrides in enumerate(self.record().jobs, 1)]

    def _job(self, number: int, overrides: tuple[str, ...]) -> JobRecord:
        file = self.folder / "jobs" / f"{number:04}.json"
        if not file.exists():
            return JobRecord(number=number, overrides=overrides, state="waiting")
        return JobRecord(**{**read_json(file), "overrides": overrides})


def find_sweep(named: str, *, sweeps: Path = Path("sweeps")) -> Sweep:
    """Return the sweep that a person names by its folder, its name under `sweeps`, or as "latest", the last gone on
    with.
    """
    for folder in (Path(named), sweeps / named):
        if (folder / "sweep.json").is_file():
            return Sweep(folder.resolve())
    there = sorted(path.parent.name for path in sweeps.glob("*/sweep.json") if not path.parent.is_symlink())
    near = difflib.get_close_matches(named, there, 3, 0.3) or there[-3:]
    hint = f" The nearest: {', '.join(near)}." if near else f" There are no sweeps under {sweeps}/ yet: wmframe run -m"
    raise UserError(f"no sweep {named!r}.{hint}")
