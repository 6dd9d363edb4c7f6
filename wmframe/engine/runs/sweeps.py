"""Sweep folders: what a multirun was asked to do, and how each of its jobs stands.

    sweeps/world_model-1f0c22a4b9d3/
        sweep.json         the command, what all jobs share, and what each adds
        jobs/0001.yaml     the whole config of job 1, every default written out
        jobs/0001.json     how job 1 stands: waiting, running, finished or failed, its run and its error
        jobs/0001.lock     held while job 1 goes on
    sweeps/latest          a link to the sweep that was begun or gone on with last

The folder's name is a digest of the jobs' whole configs and of the user's own code, so the same command finds the same
sweep and does what is missing. Called by `wmframe run -m`, which writes, and by the reports, which read.
"""

import contextlib
import difflib
import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import with_config

from wmframe.engine.config.bind import Component
from wmframe.engine.config.files import read_mapping
from wmframe.engine.durability.checksummed import read_vouched_text, remove, write_vouched, write_vouched_text
from wmframe.engine.durability.files import link_atomic
from wmframe.engine.errors import UserError
from wmframe.engine.runs.records import read_experiment, read_record
from wmframe.engine.runs.runs import Run, check_name, is_name
from wmframe.engine.store.single_flight import hold, try_hold

JobState = Literal["waiting", "running", "finished", "failed", "stopped"]
"""How a job stands; "stopped" is one whose process is gone without a word, and is never written."""

_RECORD, _LOCK, _LATEST = "sweep.json", "sweep.lock", "latest"


def _quiet(_line: str) -> None:
    return


@with_config(extra="forbid")
@dataclass(frozen=True, kw_only=True)
class SweepRecord:
    """sweep.json. `jobs` holds every job's overrides, those that all share included, in the order of their numbers."""

    name: str
    command: str
    started: str
    jobs: tuple[tuple[str, ...], ...]
    ablation: Mapping[str, Any] | None = None


@with_config(extra="forbid")
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
        return read_record(self.folder / _RECORD, SweepRecord, "a sweep's record", "sweep")

    def jobs(self) -> list[JobRecord]:
        """Return how every job stands, by number; one that nobody has begun is waiting."""
        return [self._seen(self._job(number, told)) for number, told in enumerate(self.record().jobs, 1)]

    def job(self, number: int) -> JobRecord:
        """Return how one job stands, `number` counted from 1."""
        return self._seen(self._job(number, self.record().jobs[number - 1]))

    def run_of(self, job: JobRecord) -> Run | None:
        """Return a job's last run, or None if there is none, or none any more."""
        run = Run(self.root / "runs" / job.run)
        return run if is_name(job.run) and (run.folder / "run.json").is_file() else None

    def experiment(self, number: int, allowed: Sequence[str]) -> Component:
        """Return a job's experiment, bound again."""
        return read_experiment(self._file(number, "yaml"), allowed, f"job {number}")

    def config(self, number: int) -> Mapping[Any, Any]:
        """Return a job's whole config as plain data; raises UserError if it cannot be read."""
        return read_mapping(self._file(number, "yaml"))

    def add(self, jobs: Sequence[tuple[Sequence[str], Component]]) -> list[int]:
        """Return the numbers of jobs, given as overrides and experiment; those that were not there yet are added.

        A job is there if one was told the same, or one of other words came to the same experiment.
        """
        with hold(self.folder / _LOCK, self.folder.name, _quiet):
            record = self.record()
            numbers = {_without_place(overrides): number for number, overrides in enumerate(record.jobs, 1)}
            known = {} if all(_without_place(told) in numbers for told, _ in jobs) else self._experiments(record)
            added = list(record.jobs)
            for overrides, experiment in jobs:
                number = numbers.get(_without_place(overrides), 0)
                number = number or known.setdefault(_without_paths(experiment.plain()), len(added) + 1)
                numbers[_without_place(overrides)] = number
                added += [tuple(overrides)] * (number > len(added))
                if not self._has_config(number):
                    config = yaml.safe_dump(experiment.plain(), sort_keys=False, allow_unicode=True)
                    remove(self._file(number, "yaml"))
                    write_vouched_text(self._file(number, "yaml"), config, f"job {number}")
            if len(added) > len(record.jobs):
                write_vouched(self.folder / _RECORD, asdict(replace(record, jobs=tuple(added))), "sweep")
        return [numbers[_without_place(overrides)] for overrides, _ in jobs]

    def settled(self, job: JobRecord) -> bool:
        """Tell whether nothing is left to do for a job: it failed, or it finished and its run is still there."""
        return job.state == "failed" or (job.state == "finished" and self.run_of(job) is not None)

    def write(self, job: JobRecord) -> None:
        """Replace a job's record, whose lock must be held."""
        write_vouched(self._file(job.number, "json"), asdict(job), f"job {job.number}")

    def take(self, number: int) -> contextlib.AbstractContextManager[object] | None:
        """Return a job's lock, held while its context lasts, or None while another process has it."""
        return try_hold(self._file(number, "lock"))

    def mend(self, say: Callable[[str], None]) -> None:
        """Set back to waiting each job whose record, or whose finished run's, is damaged, and `say` so."""
        for number, overrides in enumerate(self.record().jobs, 1):
            waiting = JobRecord(number=number, overrides=overrides, state="waiting")
            try:
                job = self._job(number, overrides)
                run = self.run_of(job) if job.state == "finished" else None
                if run is not None:
                    run.record()
            except UserError as error:
                if (lock := self.take(number)) is not None:
                    with lock:
                        say(f"{error}; job {number} is run again")
                        remove(self._file(number, "json"))
                        self.write(waiting)

    def wait(self, number: int) -> None:
        """Return when no process has the job's lock any more."""
        with hold(self._file(number, "lock"), f"job {number}", _quiet):
            return

    def _job(self, number: int, overrides: tuple[str, ...]) -> JobRecord:
        file = self._file(number, "json")
        if not file.exists():
            return JobRecord(number=number, overrides=overrides, state="waiting")
        return replace(
            read_record(file, JobRecord, "a job's record", f"job {number}"), number=number, overrides=overrides
        )

    def _experiments(self, record: SweepRecord) -> dict[str, int]:
        """Return the jobs' numbers by their experiments, as far as those can be read."""
        found: dict[str, int] = {}
        for number in filter(self._has_config, range(1, len(record.jobs) + 1)):
            with contextlib.suppress(UserError, TypeError, ValueError):  # YAML may hold what is no plain data
                found.setdefault(_without_paths(self.config(number)), number)
        return found

    def _has_config(self, number: int) -> bool:
        try:
            return bool(read_vouched_text(self._file(number, "yaml"), f"job {number}"))
        except UserError:
            return False

    def _seen(self, job: JobRecord) -> JobRecord:
        """Tell a job that goes on from one that only says so."""
        if job.state == "running" and (lock := self.take(job.number)) is not None:
            with lock:
                written = self._job(job.number, job.overrides)  # it may have ended between the two looks
            return replace(written, state="stopped") if written.state == "running" else written
        return job

    def _file(self, number: int, suffix: str) -> Path:
        return self.folder / "jobs" / f"{number:04}.{suffix}"


def _without_place(overrides: Sequence[str]) -> tuple[str, ...]:
    """Return a job's overrides but for where things lie: a project that was moved has no new jobs."""
    return tuple(override for override in overrides if not override.startswith("paths."))


def _without_paths(experiment: Mapping[str, object]) -> str:
    """Return a digest of an experiment, as plain data, but for where things lie."""
    return digest({name: part for name, part in experiment.items() if name != "paths"})


def differing(jobs: Sequence[Sequence[str]]) -> list[str]:
    """Return of every job's overrides those that not all jobs have, as one line."""
    common = set.intersection(*map(set, jobs)) if len(jobs) > 1 else set()
    return [" ".join(o for o in overrides if o not in common) or "(no overrides)" for overrides in jobs]


def digest(content: object) -> str:
    """Return the 12 hex digits that stand in a sweep's name for its `content`, plain data of any depth."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def open_sweep(root: Path, record: SweepRecord, content: object, say: Callable[[str], None] = _quiet) -> Sweep:
    """Return the sweep under `root` with this content, made if there is none; `latest` then points at it.

    The jobs of `record` are yet to be added. One that is there already keeps the record that it has, unless that is
    damaged: `say` is told so.
    """
    check_name(record.name)
    folder = root / "sweeps" / f"{record.name}-{digest(content)}"
    (folder / "jobs").mkdir(parents=True, exist_ok=True)
    with hold(folder / _LOCK, folder.name, _quiet):
        if os.path.lexists(folder / _RECORD):
            try:
                Sweep(folder).record()
            except UserError as error:
                say(f"{error}; it is written anew, and its jobs stand as they did")
                remove(folder / _RECORD)
        if not (folder / _RECORD).is_file():
            write_vouched(folder / _RECORD, asdict(record), "sweep")
    link_atomic(folder.parent / _LATEST, folder.name)
    return Sweep(folder)


def find_sweep(named: str, *, sweeps: Path = Path("sweeps")) -> Sweep:
    """Return the sweep that a person names by its folder, its name under `sweeps`, or as "latest", the last gone on
    with.
    """
    for folder in (Path(named), sweeps / named):
        if (folder / _RECORD).is_file():
            return Sweep(folder.resolve())
    there = sorted(path.parent.name for path in sweeps.glob(f"*/{_RECORD}") if not path.parent.is_symlink())
    near = difflib.get_close_matches(named, there, 3, 0.3) or there[-3:]
    hint = f" The nearest: {', '.join(near)}." if near else f" There are no sweeps under {sweeps}/ yet: wmframe run -m"
    raise UserError(f"no sweep {named!r}.{hint}")
