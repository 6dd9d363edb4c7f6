"""What a run does just now: its stage, how far that is, and how long it may still take.

In: a run that goes on. Out: the stages still to come, and a `Live`. A run says in graph.json what comes next, under
which key and how long it is; how far that is stands in the store (its history in its folder of work in progress).
Called by the overview and the lineage.
"""

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from wmframe.dashboard.reading import Cache, regular_file, stamp
from wmframe.engine.errors import UserError
from wmframe.engine.runs.planned import PlannedStage
from wmframe.engine.runs.runs import GRAPH, Run, RunRecord

_TAIL = 64 * 1024
"""Bytes: more than the last row of any history."""


@dataclass(frozen=True, kw_only=True)
class Live:
    """The stage `name`, `number` of `stages`; `done` of `total` units, None where unknown; seconds to its end."""

    name: str
    number: int
    stages: int
    done: int | None = None
    total: int | None = None
    unit: str = ""
    seconds_left: float | None = None


class Watch:
    """Follows runs that go on."""

    def __init__(self, artefacts: Path) -> None:
        self._artefacts = artefacts
        self._graphs: Cache[list[PlannedStage]] = Cache(64)
        self._first_seen: dict[Path, tuple[float, int]] = {}

    def stages(self, run: Run) -> list[PlannedStage]:
        """Return every stage of a run, done or to come, by the keys that it was planned with; none if that is lost."""

        def read() -> list[PlannedStage]:
            try:
                return run.graph().own
            except UserError:
                return []

        return self._graphs.get(run.name, stamp(run.folder / GRAPH), read)

    def live(self, run: Run, record: RunRecord) -> Live | None:
        """Return where a run stands; None where that cannot be told."""
        stages, finished = self.stages(run), len(record.stages)
        if finished >= len(stages):
            return None
        stage = stages[finished]
        place = Live(name=stage.name, number=finished + 1, stages=len(stages), total=stage.length, unit=stage.unit)
        with suppress(FileNotFoundError):  # finished and published between two looks
            return self._inside(stage, place)
        return place

    def _inside(self, stage: PlannedStage, place: Live) -> Live:
        """Add to a place how far its stage is: its history's last step, or without one the files it has written."""
        history = regular_file(self._artefacts, stage.stage, f"{stage.key}.work", "output", "history.jsonl")
        step = None if history is None else last_step(history)
        if history is not None and step is not None:
            return replace(place, done=step, seconds_left=self._seconds_left(history, step, place.total))
        written = sum(path.is_file() and path != history for path in self.work(stage).iterdir())
        return replace(place, done=written, unit="files") if place.total is None and written else place

    def work(self, stage: PlannedStage) -> Path:
        """Return where a stage at work keeps what it will publish."""
        return self._artefacts / stage.stage / f"{stage.key}.work" / "output"

    def _seconds_left(self, history: Path, step: int, total: int | None) -> float | None:
        """Extrapolate from the rows that came while we looked: rows from before a resume say nothing of the pace."""
        written = history.stat().st_mtime
        since, first = self._first_seen.setdefault(history, (written, step))
        if step < first:
            self._first_seen[history] = (written, step)
        if total is None or step <= first or written <= since:
            return None
        return max(0.0, (total - step) * (written - since) / (step - first))


def last_step(history: Path) -> int | None:
    """Return the step of a history's last complete row, None if there is none."""
    with history.open("rb") as file:
        file.seek(max(0, history.stat().st_size - _TAIL))
        lines = file.read().split(b"\n")[:-1]
    try:
        step = json.loads(lines[-1])["step"]
    except (IndexError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return step if isinstance(step, int) else None
