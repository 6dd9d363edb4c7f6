"""Sweeps as the table groups them: how many jobs stand how, and which have no run to show.

In: a project's folder. Out: a `SweepRow` each, newest first. Called by the overview.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wmframe.dashboard.reading import Cache, regular_file, stamp
from wmframe.engine.errors import UserError
from wmframe.engine.runs.sweeps import Sweep


@dataclass(frozen=True, kw_only=True)
class JobRow:
    """A job: its number, what only it was told, how it stands, its run's name (empty before there is one)."""

    number: int
    overrides: Sequence[str]
    state: str
    run: str
    error: str


@dataclass(frozen=True, kw_only=True)
class SweepRow:
    """A sweep: its folder's name, what it was called and told, and its jobs; `error` where it cannot be read."""

    name: str
    title: str = ""
    command: str = ""
    started: str = ""
    jobs: Sequence[JobRow] = ()
    states: Mapping[str, int] = field(default_factory=dict)
    error: str = ""


def sweep_rows(root: Path, cache: Cache[SweepRow]) -> list[SweepRow]:
    """Return every sweep under `root`, the one begun last first."""
    files = [path for path in (root / "sweeps").resolve().glob("*/sweep.json") if not path.parent.is_symlink()]
    return sorted((_row(path.parent, cache) for path in files), key=lambda row: row.started, reverse=True)


def _row(folder: Path, cache: Cache[SweepRow]) -> SweepRow:
    # A job's file is replaced by a rename, which touches its folder; who is alive stands in no file.
    row = cache.get(folder, stamp(folder / "sweep.json", folder / "jobs"), lambda: _read(folder))
    return _read(folder) if row.states.get("running") else row


def _read(folder: Path) -> SweepRow:
    name = folder.name.encode(errors="surrogateescape").decode(errors="replace")
    try:
        if regular_file(folder, "sweep.json") is None:
            raise UserError("sweep.json: is a link", exit_code=1)
        record, jobs = Sweep(folder).record(), Sweep(folder).jobs()
        common = set.intersection(*(set(overrides) for overrides in record.jobs)) if record.jobs else set()
        rows = [
            JobRow(
                number=int(job.number),
                overrides=[str(override) for override in job.overrides if override not in common],
                state=str(job.state),
                run=str(job.run),
                error=str(job.error),
            )
            for job in jobs
        ]
    except (UserError, OSError, TypeError, ValueError, KeyError, AttributeError) as error:
        return SweepRow(name=name, title=name, error=str(error).replace(f"{folder}/", ""))
    states: dict[str, int] = {}
    for row in rows:
        states[row.state] = states.get(row.state, 0) + 1
    return SweepRow(
        name=name,
        title=str(record.name),
        command=str(record.command),
        started=str(record.started),
        jobs=rows,
        states=states,
    )
