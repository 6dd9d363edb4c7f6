"""All runs of a project as the table shows them, read again only where files changed.

In: a project's folder. Out: an `Overview` of frozen plain values, ready to be JSON. A run or a sweep that cannot be
read is a row like any other, which says what is wrong. Called by the server's routes, from several threads.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Literal

from wmframe.dashboard.configs import Flat, flatten, shared
from wmframe.dashboard.live import Live, Watch
from wmframe.dashboard.reading import Cache, regular_file, stamp
from wmframe.dashboard.sweep_rows import SweepRow, sweep_rows
from wmframe.engine.errors import UserError
from wmframe.engine.runs.runs import Run, RunRecord, RunState
from wmframe.report.scoreboard import LABELS
from wmframe.report.statistics import summarise

_MOST_RUNS = 10_000


@dataclass(frozen=True, kw_only=True)
class ScoreRow:
    """Returns of n episodes in one world; no standard deviation for one episode."""

    mean: float
    std: float | None
    n: int


@dataclass(frozen=True, kw_only=True)
class RunRow:
    """A run as a line of the table. `metrics` are all its quantities but `scores`.

    `config` has only what not all runs share; `page` says whether it has one. Runs with the same `result` are one
    training run: its key holds all that can change a score.
    """

    name: str
    state: RunState | Literal["damaged"]
    started: str = ""
    seconds: float = 0.0
    command: str = ""
    overrides: Sequence[str] = ()
    error: str = ""
    scores: Mapping[str, ScoreRow] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    result: str = ""
    config: Flat = field(default_factory=dict)
    stages: int = 0
    page: bool = False
    live: Live | None = None


@dataclass(frozen=True, kw_only=True)
class Overview:
    """Everything the table needs. `common` is what all readable runs have in their config."""

    project: str
    runs: Sequence[RunRow]
    common: Flat
    sweeps: Sequence[SweepRow]


@dataclass(frozen=True)
class _Known:
    """What a run's files say: its row without what changes from moment to moment, and its record, if readable."""

    row: RunRow
    record: RunRecord | None


class Project:
    """The runs and sweeps under `root`, looked at anew with every call, and from any thread."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._runs, self.artefacts = (self.root / "runs").resolve(), (self.root / "artefacts").resolve()
        self.watch = Watch(self.artefacts)
        self._known: Cache[_Known] = Cache(_MOST_RUNS)
        self._sweeps: Cache[SweepRow] = Cache(_MOST_RUNS)
        self._looking = Lock()

    def folders(self) -> dict[str, Path]:
        """Return every run's folder by its name, newest first; a name that is not UTF-8 is shown as near as can be."""
        found = sorted(self._runs.glob("*/run.json"), reverse=True)[:_MOST_RUNS]
        return {
            path.parent.name.encode(errors="surrogateescape").decode(errors="replace"): path.parent
            for path in found
            if not path.parent.is_symlink()
        }

    def record(self, folder: Path) -> RunRecord | None:
        """Return a run's record as it stands now, None where it is damaged."""
        return self._now(folder, self._read(folder.name, folder).record)

    def overview(self) -> Overview:
        """Return how everything stands now."""
        rows = [self._row(name, folder) for name, folder in self.folders().items()]
        common = shared([row.config for row in rows if row.config])
        rows = [replace(row, config={k: v for k, v in row.config.items() if k not in common}) for row in rows]
        return Overview(project=self.root.name, runs=rows, common=common, sweeps=sweep_rows(self.root, self._sweeps))

    def shared_by(self) -> Counter[tuple[str, str]]:
        """Return how many runs stand on each result, by (stage, key)."""
        records = [self.record(folder) for folder in self.folders().values()]
        stages = [{(stage.stage, stage.key) for stage in record.stages} for record in records if record is not None]
        return Counter(result for results in stages for result in results)

    def _row(self, name: str, folder: Path) -> RunRow:
        known = self._read(name, folder)
        record = self._now(folder, known.record)
        if record is None or record.state == known.row.state != "running":
            return known.row
        live = self.watch.live(Run(folder), record) if record.state == "running" else None
        return replace(known.row, state=record.state, live=live)

    def _now(self, folder: Path, record: RunRecord | None) -> RunRecord | None:
        """Return a record, looked at again if only a look tells whether a process still holds the run."""
        if record is None or record.state != "running":
            return record
        try:
            with self._looking:  # whoever looks holds the run for a moment, and would seem to another to be at work
                return Run(folder).record()
        except UserError:  # damaged this moment: the next look says so
            return record

    def _read(self, name: str, folder: Path) -> _Known:
        now = stamp(*(folder / file for file in ("run.json", "config.yaml", "report.html")))

        def read() -> _Known:
            try:
                return _read(name, folder)
            except UserError as error:
                return _Known(RunRow(name=name, state="damaged", error=_without(folder, str(error))), None)
            except (OSError, TypeError, ValueError, KeyError, AttributeError) as error:
                # A run.json may be JSON and yet hold anything anywhere.
                return _Known(RunRow(name=name, state="damaged", error=f"run.json: not a run's record ({error})"), None)

        return self._known.get(folder, now, read)


def _read(name: str, folder: Path) -> _Known:
    for file in ("run.json", "config.yaml"):
        if regular_file(folder, file) is None:
            raise UserError(f"{file}: there is no such file, or it is a link", exit_code=1)
    record = Run(folder).record()
    row = RunRow(
        name=name,
        state=_one_of_the_states(record.state),
        started=str(record.started),
        seconds=_finite(record.seconds),
        command=str(record.command),
        overrides=tuple(map(str, record.overrides)),
        error=str(record.error),
        scores={world: _score(record.scores[world]["returns"]) for world in LABELS if world in record.scores},
        metrics={name: value for name, value in record.quantities.items() if name not in LABELS},
        result=record.result,
        config=flatten(Run(folder).config()),
        stages=len(record.stages),
        page=regular_file(folder, "report.html") is not None,
    )
    for stage in record.stages:
        _finite(stage.seconds)
        if not all(isinstance(text, str) for text in (stage.name, stage.stage, stage.key, stage.state)):
            raise ValueError(f"{stage} is no stage")
    if not isinstance(record.provenance, Mapping):
        raise ValueError("its provenance is no mapping")
    return _Known(row, record)


def _one_of_the_states(state: object) -> RunState:
    for known in ("running", "finished", "failed", "stopped"):
        if state == known:
            return known
    raise ValueError(f"no run is {state!r}")


def _finite(value: object) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is not a finite number")
    return float(value)


def _score(returns: Sequence[object]) -> ScoreRow:
    if not returns:
        raise ValueError("a score without an episode")
    found = summarise([_finite(value) for value in returns])
    return ScoreRow(mean=found.mean, std=found.std, n=found.n)


def _without(folder: Path, text: str) -> str:
    """Return a message that names files of a folder without the way to it."""
    return text.replace(f"{folder}/", "")
