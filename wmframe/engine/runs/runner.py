"""Run an experiment: every node of its graph obtained from the store, in order, and told to people and trackers.

A bound experiment comes in; a finished run folder goes out. Called by `wmframe run`.
"""

import contextlib
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pydantic import FiniteFloat

from wmframe.engine.config.bind import Component
from wmframe.engine.config.building import build_part
from wmframe.engine.durability import signals
from wmframe.engine.durability.files import read_json
from wmframe.engine.graph.forecast import Forecast
from wmframe.engine.graph.node import Node
from wmframe.engine.graph.outlook import Outlook
from wmframe.engine.graph.recipe import recipe_of, root_of
from wmframe.engine.graph.stage import trace
from wmframe.engine.machine import Machine
from wmframe.engine.runs.context import METRICS
from wmframe.engine.runs.mirror import Mirror
from wmframe.engine.runs.provenance import provenance, without_secret
from wmframe.engine.runs.records import read_record
from wmframe.engine.runs.runs import Run, RunRecord, create_run
from wmframe.engine.runs.worker import Worker
from wmframe.engine.store.artefact import Artefact
from wmframe.engine.tracking.progress import Progress
from wmframe.engine.tracking.tracker import RunInfo, Tracker, tracked

_NO_RESULT: Final = ("name=", "tracker", "paths.")
"""How overrides begin that say nothing of the experiment."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to run: the bound experiment, how it was asked for, and the modules that targets may come from.

    Of a sweep's job, `group` is the sweep's name and `job` what tells it from the other jobs, for people.
    """

    experiment: Component
    overrides: Sequence[str]
    command: str
    allowed: Sequence[str]
    group: str | None = None
    job: str = ""

    @property
    def root(self) -> Path:
        """Where artefacts and runs go."""
        return root_of(self.experiment)

    @property
    def title(self) -> str:
        """What people call the run: what was asked for, as far as it can change a result."""
        asked = [without_secret(override) for override in self.overrides if not override.startswith(_NO_RESULT)]
        return self.job or " ".join(asked) or str(self.experiment.arguments["name"])

    def identity(self, nodes: Sequence[Node]) -> str:
        """Return the id under which trackers know the run: the same for the same experiment of the same sweep.

        The last node's key holds all that can change a result. A command that is typed again, after a kill or after
        the end, is therefore no second run: it would otherwise be counted as another training run.
        """
        facts = json.dumps([self.group, nodes[-1].key])
        return f"{str(self.experiment.arguments['name'])[:40]}-{hashlib.sha256(facts.encode()).hexdigest()[:16]}"


Present = Callable[[Run, Tracker], None]
"""Shows a finished run to people: writes its page, hands its pictures to the tracker."""


Show = Callable[[Run, Node, Artefact], str]
"""Shows a result to people while the run goes on, and returns what to say of it, "" for nothing."""


def run(
    order: Order,
    progress: Progress,
    present: Present,
    *,
    begun: Callable[[Run], None] = lambda _: None,
    show: Show = lambda *_: "",
) -> Run:
    """Compute what is missing, have it presented and return the run.

    Whatever goes wrong before it is finished is recorded in its folder and raised again. `begun` is told of the run as
    soon as it has a folder, `show` of every result as soon as it is there; whatever goes wrong in `show` is said, and
    the run goes on.
    """
    recipe = recipe_of(order.experiment, order.allowed)
    nodes = trace(recipe.result, allowed=order.allowed)
    machine = build_part(order.experiment, "trainer", Machine, allowed=order.allowed)
    machine.settle()
    recipe.check(order.experiment, order.allowed)
    tracking = build_part(order.experiment, "tracker", Tracker, allowed=order.allowed)
    folder = create_run(order.root, str(order.experiment.arguments["name"]), order.experiment, nodes)
    facts = provenance(device=str(machine.device), seed=recipe.seed, overrides=list(order.overrides))
    record = RunRecord(
        command=order.command,
        overrides=tuple(facts["overrides"]),
        state="running",
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        provenance=facts,
    )
    info = RunInfo(
        id=order.identity(nodes),
        name=order.title,
        folder=folder.folder,
        config=order.experiment.plain(),
        group=order.group,
        notes=f"{order.command} ({folder.name})",
    )
    with folder.held(), tracked(tracking, info, progress.say) as tracker:
        folder.write(record)
        begun(folder)
        worker = Worker(order.root, machine, order.allowed, progress, mirror=Mirror(tracker))
        for node in nodes:
            worker.adopt(node)
        outlook = Outlook(nodes, Forecast(folder.root))
        finished = _compute(nodes, worker, folder, record, progress, outlook, show)
        tracker.summary(_summary(finished))
        present(folder, tracker)
    return folder


def _compute(
    nodes: Sequence[Node],
    worker: Worker,
    folder: Run,
    record: RunRecord,
    progress: Progress,
    outlook: Outlook,
    show: Show,
) -> RunRecord:
    """Obtain every node, keeping the run's record up to date, and return it as it is at the end."""
    began = time.monotonic()
    try:
        for node in nodes:
            outlook.begin(node.name)
            with progress.within(outlook.line):
                artefact, stage = worker.obtain(node, record.provenance)
            outlook.end(node.name, stage.seconds if stage.state == "ran" else None)
            record = replace(record, stages=(*record.stages, stage), **_numbers(record, node, artefact))
            folder.write(record)
            _show(show, folder, node, artefact, progress)
    except signals.Stopped:
        raise  # the record says "running", which a run without a process is not: it reads as stopped
    except BaseException as error:
        seconds = time.monotonic() - began
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        with contextlib.suppress(OSError):  # a full disk takes no record either, and what filled it is what to tell
            folder.write(replace(record, state="failed", error=said, seconds=seconds))
        raise
    record = replace(record, state="finished", seconds=time.monotonic() - began)
    folder.write(record)
    return record


def _show(show: Show, folder: Run, node: Node, artefact: Artefact, progress: Progress) -> None:
    """Let a result be shown. What shows it computes nothing that anybody needs, so no fault of it ends a run."""
    try:
        said = show(folder, node, artefact)
    except Exception as error:
        said = f"{node.name} could not be shown ({type(error).__name__}: {error})"
    if said:
        progress.say(said)


def _numbers(record: RunRecord, node: Node, artefact: Artefact) -> dict[str, Any]:
    """Return the record's scores, seeds and metrics with those of one more result, where it has any."""
    new: dict[str, Any] = {}
    if node.stage.publishes == "scores":
        found = read_json(artefact.file("scores.json"))
        new |= {"scores": {**record.scores, **found["scores"]}, "seeds": tuple(found.get("seeds", ()))}
    if METRICS in artefact.manifest["files"]:
        metrics = read_record(
            artefact.file(METRICS), dict[str, FiniteFloat], "a stage's metrics, a number each by name"
        )
        new["metrics"] = {**record.metrics, **{f"{node.name}/{name}": value for name, value in metrics.items()}}
    return new


def _summary(record: RunRecord) -> dict[str, float]:
    """Return a run's numbers as its tracker calls them: a score's mean under the stage that published the last."""
    stage = record.published("scores")
    scored = stage.stage if stage is not None else ""
    return {f"{scored}/{name}_mean" if name in record.scores else name: v for name, v in record.quantities.items()}
