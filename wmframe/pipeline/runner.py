"""Run an experiment: every node of its graph obtained from the store, in order, and told to people and trackers.

A bound experiment comes in; a finished run folder goes out. Called by `wmframe run` and `wmframe evaluate`.
"""

import importlib
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any

from wmframe.config.bind import Component
from wmframe.files import read_json
from wmframe.pipeline.artefact import Artefact
from wmframe.pipeline.graph import Node, graph, root_of
from wmframe.pipeline.provenance import provenance
from wmframe.pipeline.runs import Run, RunRecord, StageRecord, create_run
from wmframe.pipeline.store import Store
from wmframe.stages.building import build_part
from wmframe.stages.machine import Machine
from wmframe.stages.preflight import preflight
from wmframe.stages.task import Task
from wmframe.tracking import history
from wmframe.tracking.history import Row
from wmframe.tracking.progress import Progress
from wmframe.tracking.tracker import RunInfo, Tracker, tracked


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to run: the bound experiment, how it was asked for, and the modules that targets may come from."""

    experiment: Component
    overrides: Sequence[str]
    command: str
    allowed: Sequence[str]

    @property
    def root(self) -> Path:
        """Where artefacts and runs go."""
        return root_of(self.experiment)


def run(order: Order, progress: Progress, *, begun: Callable[[Run], None] = lambda _: None) -> Run:
    """Compute what is missing and return the run; whatever goes wrong is recorded in its folder and raised again.

    `begun` is told of the run as soon as it has a folder.
    """
    nodes = graph(order.experiment)
    machine = build_part(order.experiment, "trainer", Machine, allowed=order.allowed)
    machine.settle()
    preflight(order.experiment, order.allowed)
    tracking = build_part(order.experiment, "tracker", Tracker, allowed=order.allowed)
    folder = create_run(order.root, str(order.experiment.arguments["name"]), order.experiment)
    facts = provenance(device=str(machine.device), seed=_seed(order.experiment), overrides=list(order.overrides))
    record = RunRecord(
        command=order.command,
        overrides=tuple(facts["overrides"]),
        state="running",
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        provenance=facts,
    )
    began = time.monotonic()
    info = RunInfo(id=folder.name, name=folder.name, folder=folder.folder, config=order.experiment.plain())
    try:
        with folder.held(), tracked(tracking, info, progress.say) as tracker:
            folder.write(record)
            begun(folder)
            worker = Worker(order.root, machine, order.allowed, progress, _Mirror(tracker))
            backends: list[str] = []
            for node in nodes:
                artefact, stage = worker.obtain(node, facts)
                record = replace(record, stages=(*record.stages, stage), **_scores(record, artefact))
                folder.write(record)
                if node.stage == "collect":
                    backends += [", ".join(read_json(artefact.file("summary.json"))["backends"])]
                    _say_mixture(node.name, backends, progress)
            tracker.summary({f"evaluate/{name}_mean": fmean(row["returns"]) for name, row in record.scores.items()})
    except BaseException as error:
        seconds = time.monotonic() - began
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        folder.write(replace(record, state="failed", error=said, seconds=seconds))
        raise
    folder.write(replace(record, state="finished", seconds=time.monotonic() - began))
    return folder


class Worker:
    """Obtains nodes from the store of one project, computing what is missing with this process's machine."""

    def __init__(
        self,
        root: Path,
        machine: Machine,
        allowed: Sequence[str],
        progress: Progress,
        mirror: "_Mirror | None" = None,
    ) -> None:
        self._store = Store(root / "artefacts", notice=progress.say)
        self._machine, self._allowed, self._progress = machine, allowed, progress
        self._mirror = mirror
        self._folders: dict[str, Artefact] = {}

    def adopt(self, name: str, artefact: Artefact) -> None:
        """Take a node's result as given, for others to be made of."""
        self._folders[name] = artefact

    def obtain(self, node: Node, facts: Mapping[str, Any]) -> tuple[Artefact, StageRecord]:
        """Return a node's result, from the store or by running its stage; its parents must be obtained or adopted."""
        request = replace(node.request, provenance=facts)
        began, ran = time.monotonic(), False
        mirror = self._mirror.stage(node.stage) if self._mirror is not None else _unheard

        def produce(work: Path) -> None:
            nonlocal ran
            ran = True
            importlib.import_module(f"wmframe.stages.{node.stage}").run(self._task(node, work, mirror))

        artefact = self._store.obtain(request, produce)
        self._folders[node.name] = artefact
        seconds = time.monotonic() - began
        if not ran:
            self._progress.say(f"{node.name}: cached {artefact.key}")
            if "history.jsonl" in artefact.manifest["files"]:
                for row in history.read(artefact.file("history.jsonl")):
                    mirror(row)
        return artefact, StageRecord(
            name=node.name,
            stage=node.stage,
            key=artefact.key,
            state="ran" if ran else "cached",
            seconds=seconds,
        )

    def _task(self, node: Node, work: Path, listener: Callable[[Row], None]) -> Task:
        return Task(
            name=node.name,
            config=node.config,
            inputs={name: self._folders[parent.name].path for name, parent in node.parents.items()},
            work=work,
            machine=self._machine,
            allowed=self._allowed,
            progress=self._progress,
            listener=listener,
        )


class _Mirror:
    """Passes stages' rows on to a tracker, the steps of a later round counted on from those of the last."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._last: dict[str, int] = defaultdict(int)

    def stage(self, name: str) -> Callable[[Row], None]:
        """Return who listens to one run of a stage."""
        offset = self._last[name]

        def listen(row: Row) -> None:
            self._last[name] = max(self._last[name], offset + int(row["step"]))
            self._tracker.log({**row, "step": offset + int(row["step"])})

        return listen


def _say_mixture(name: str, backends: Sequence[str], progress: Progress) -> None:
    """Say so if the latest collection was recorded on something else than the first, as after an upgrade."""
    if backends[-1] != backends[0]:
        progress.say(
            f"{name} was recorded on {backends[-1]}, the first round on {backends[0]}: M learns from both. "
            "To learn from one alone, run again with another paths.root."
        )


def _scores(record: RunRecord, artefact: Artefact) -> dict[str, Any]:
    if artefact.stage not in {"baseline", "evaluate"}:
        return {}
    found = read_json(artefact.file("scores.json"))
    return {"scores": {**record.scores, **found["scores"]}, "seeds": tuple(found["seeds"])}


def _seed(experiment: Component) -> int:
    seed = experiment.arguments["seed"]
    return seed if isinstance(seed, int) else 0


def _unheard(_: Row) -> None:
    return
