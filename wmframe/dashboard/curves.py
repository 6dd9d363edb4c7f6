"""A run's curves: the histories of its stages, rounds end to end, thinned to what a screen can show.

In: a run's record, and the stage that it is at, if it goes on. Out: columns by metric. Called by the server's routes.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wmframe.dashboard.overview import Project
from wmframe.dashboard.reading import Cache, regular_file, stamp
from wmframe.engine.errors import UserError
from wmframe.engine.runs.runs import Run
from wmframe.engine.tracking.history import Row, read
from wmframe.report.thin import thin

MOST_POINTS = 600


@dataclass(frozen=True, kw_only=True)
class Column:
    """One metric over the stage's steps, both (T,); a value that is no finite number is None, a gap."""

    x: Sequence[int]
    y: Sequence[float | None]


@dataclass(frozen=True, kw_only=True)
class Curves:
    """A run's curves by metric ("memory/nll"), and where each later round of a stage begins, by stage."""

    columns: Mapping[str, Column]
    rounds: Mapping[str, Sequence[int]]
    errors: Sequence[str] = field(default=())


class Histories:
    """Reads histories, each once as long as nobody writes to it."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._rows: Cache[list[Row]] = Cache(512)

    def curves(self, folder: Path) -> Curves:
        """Return a run's curves so far; what is damaged is named instead of drawn."""
        rows: dict[str, list[Row]] = {}
        rounds: dict[str, list[int]] = {}
        errors = []
        for stage, path in self._paths(folder):
            try:
                new = self._rows.get(path, stamp(path), lambda path=path: read(path))  # type: ignore[misc]
            except (UserError, FileNotFoundError) as error:
                errors.append(str(error).replace(f"{self._project.artefacts}/", ""))
                continue
            earlier = rows.setdefault(stage, [])
            begun = earlier[-1]["step"] if earlier else 0
            if earlier and new:
                rounds.setdefault(stage, []).append(begun)
            earlier += [{**row, "step": begun + row["step"]} for row in new]
        columns = {metric: _column(points) for metric, points in _by_metric(rows).items() if len(points) > 1}
        return Curves(columns=columns, rounds=rounds, errors=errors)

    def _paths(self, folder: Path) -> list[tuple[str, Path]]:
        """Return (stage, history) of every stage that has one, the one at work (or broken off) last."""
        project = self._project
        record = project.record(folder)
        if record is None:
            return []
        places = [(stage.stage, stage.key, ()) for stage in record.stages]
        stages = project.watch.stages(Run(folder)) if record.state != "finished" else []
        going_on = [(one.stage, f"{one.key}.work", ("output",)) for one in stages[len(places) : len(places) + 1]]
        found = [
            (stage, regular_file(project.artefacts, stage, key, *inside, "history.jsonl"))
            for stage, key, inside in [*places, *going_on]
        ]
        return [(stage, path) for stage, path in found if path is not None]


def _by_metric(rows: Mapping[str, Sequence[Row]]) -> dict[str, list[tuple[int, float]]]:
    points: dict[str, list[tuple[int, float]]] = {}
    for stage in rows.values():
        for row in stage:
            for name, value in row.items():
                if name != "step":
                    points.setdefault(name, []).append((row["step"], value))
    return points


def _column(points: Sequence[tuple[int, float]]) -> Column:
    shown = [points[int(index)] for index in thin([value for _, value in points], MOST_POINTS)]
    return Column(x=[step for step, _ in shown], y=[value if math.isfinite(value) else None for _, value in shown])
