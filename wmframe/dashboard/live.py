"""What a run does just now: its stage, how far that is, and how long it may still take.

In: a run that goes on. Out: the stages still to come, and a `Live`. A run says in run.json what it has finished and
what comes next, under which key and how long it is; how far that is stands in the store (its history in its folder of
work in progress). Called by the overview and the lineage.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from wmframe.dashboard.reading import Cache, regular_file, stamp
from wmframe.engine.config.bind import Component
from wmframe.engine.config.source import is_allowed
from wmframe.engine.errors import UserError
from wmframe.engine.graph.node import Node, Stage
from wmframe.engine.graph.recipe import nodes_of
from wmframe.engine.runs.runs import PlannedStage, Run, RunRecord

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
    """Follows runs that go on. `allowed` are the modules that their configs' targets may come from; it imports none."""

    def __init__(self, artefacts: Path, allowed: Sequence[str]) -> None:
        self._artefacts, self._allowed = artefacts, allowed
        self._graphs: Cache[list[Node]] = Cache(64)
        self._first_seen: dict[Path, tuple[float, int]] = {}

    def nodes(self, run: Run, record: RunRecord) -> list[Node]:
        """Return every stage of a run, done or to come, by the keys that it was planned with.

        A run from before plans were recorded has the keys that its config has here, and no stages where that holds
        what is not known here.
        """

        def read() -> list[Node]:
            try:
                found = _ours(run.experiment(self._allowed), self._allowed)
            except UserError:
                found = []
            return _as_planned(record.planned, {node.name: node for node in found}) if record.planned else found

        return self._graphs.get(run.name, stamp(run.folder / "config.yaml"), read)

    def live(self, run: Run, record: RunRecord) -> Live | None:
        """Return where a run stands; None where that cannot be told."""
        nodes, finished = self.nodes(run, record), len(record.stages)
        if finished >= len(nodes):
            return None
        node = nodes[finished]
        planned = next((stage for stage in record.planned if stage.name == node.name), PlannedStage.of(node))
        place = Live(name=node.name, number=finished + 1, stages=len(nodes), total=planned.length, unit=planned.unit)
        with suppress(FileNotFoundError):  # finished and published between two looks
            return self._inside(node, place)
        return place

    def _inside(self, node: Node, place: Live) -> Live:
        """Add to a place how far its stage is: its history's last step, or without one the files it has written."""
        history = regular_file(self._artefacts, node.stage.name, f"{node.key}.work", "output", "history.jsonl")
        step = None if history is None else last_step(history)
        if history is not None and step is not None:
            return replace(place, done=step, seconds_left=self._seconds_left(history, step, place.total))
        written = sum(path.is_file() and path != history for path in self.work(node).iterdir())
        return replace(place, done=written, unit="files") if place.total is None and written else place

    def work(self, node: Node) -> Path:
        """Return where a stage at work keeps what it will publish."""
        return self._artefacts / node.stage.name / f"{node.key}.work" / "output"

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


def _ours(experiment: Component, allowed: Sequence[str]) -> list[Node]:
    """Return the stages of a recipe that wmframe ships; nobody else's is executed for a look at a run."""
    return nodes_of(experiment, allowed) if is_allowed(experiment.target, ("wmframe",)) else []


def _as_planned(planned: Sequence[PlannedStage], known: Mapping[str, Node]) -> list[Node]:
    """Return a recorded plan as nodes, with the config of those that are `known`."""
    nodes: dict[str, Node] = {}
    for stage in planned:
        config = known[stage.name].config if stage.name in known else {}
        parents = {name: nodes[name] for name in stage.parents if name in nodes}
        what = Stage(name=stage.name.partition(".")[0], version=0, run="")
        nodes[stage.name] = Node(stage.name, what, config, parents, published=stage.key)
    return list(nodes.values())
