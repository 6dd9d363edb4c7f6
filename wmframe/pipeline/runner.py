"""Run an experiment: every node of its graph obtained from the store, in order, and told to people and trackers.

A bound experiment comes in; a finished run folder goes out. Called by `wmframe run` and `wmframe evaluate`.
"""

import contextlib
import hashlib
import importlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from wmframe import stopping
from wmframe.config.bind import Component
from wmframe.files import read_json
from wmframe.pipeline.artefact import Artefact
from wmframe.pipeline.first_driver import fetch
from wmframe.pipeline.forecast import Forecast
from wmframe.pipeline.graph import graph, root_of
from wmframe.pipeline.mirror import Mirror
from wmframe.pipeline.node import FIRST_DRIVER, Node
from wmframe.pipeline.outlook import Outlook
from wmframe.pipeline.provenance import provenance, without_secret
from wmframe.pipeline.runs import PlannedStage, Run, RunRecord, StageRecord, create_run
from wmframe.pipeline.store import Store
from wmframe.stages.building import build_part
from wmframe.stages.machine import Machine
from wmframe.stages.preflight import preflight
from wmframe.stages.task import Task
from wmframe.tracking import history
from wmframe.tracking.history import Row
from wmframe.tracking.progress import Progress
from wmframe.tracking.tracker import RunInfo, Tracker, tracked
from wmframe.user_code import hold

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
        planned=tuple(PlannedStage(name=n.name, key=n.key, parents=_names(n)) for n in nodes),
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
        worker = Worker(order.root, machine, order.allowed, progress, Mirror(tracker))
        worker.adopt_first_driver(order.experiment.arguments["first_driver"])
        finished = _compute(nodes, worker, folder, record, progress, show)
        tracker.summary({f"evaluate/{name}_mean": fmean(row["returns"]) for name, row in finished.scores.items()})
        present(folder, tracker)
    return folder


def _compute(
    nodes: Sequence[Node], worker: "Worker", folder: Run, record: RunRecord, progress: Progress, show: Show
) -> RunRecord:
    """Obtain every node, keeping the run's record up to date, and return it as it is at the end."""
    began = time.monotonic()
    try:
        backends: list[str] = []
        outlook = Outlook(nodes, Forecast(folder.root))
        for node in nodes:
            outlook.begin(node.name)
            with progress.within(outlook.line):
                artefact, stage = worker.obtain(node, record.provenance)
            outlook.end(node.name, stage.seconds if stage.state == "ran" else None)
            record = replace(record, stages=(*record.stages, stage), **_scores(record, artefact))
            folder.write(record)
            _show(show, folder, node, artefact, progress)
            if node.stage == "collect":
                backends += [", ".join(read_json(artefact.file("summary.json"))["backends"])]
                _say_mixture(node.name, backends, progress)
    except stopping.Stopped:
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


class Worker:
    """Obtains nodes from the store of one project, computing what is missing with this process's machine."""

    def __init__(
        self,
        root: Path,
        machine: Machine,
        allowed: Sequence[str],
        progress: Progress,
        mirror: Mirror | None = None,
    ) -> None:
        self._store = Store(root / "artefacts", notice=progress.say)
        self._machine, self._allowed, self._progress = machine, allowed, progress
        self._mirror = mirror
        self._folders: dict[str, Artefact] = {}

    def adopt(self, name: str, artefact: Artefact) -> None:
        """Take a node's result as given, for others to be made of."""
        self._folders[name] = artefact

    def adopt_first_driver(self, pinned: object) -> None:
        """Bring the agent that drives in round 1 into the project, if an experiment has one."""
        if isinstance(pinned, str):
            self.adopt(FIRST_DRIVER, fetch(pinned, self._store))

    def obtain(self, node: Node, facts: Mapping[str, Any]) -> tuple[Artefact, StageRecord]:
        """Return a node's result, from the store or by running its stage; its parents must be obtained or adopted."""
        request = replace(node.request, provenance=facts)
        began, ran = time.monotonic(), False
        mirror = self._mirror.stage(node.stage) if self._mirror is not None else _unheard

        def produce(work: Path) -> None:
            nonlocal ran
            ran = True
            hold(node.code.values())
            task = self._task(node, work, mirror)
            task.kept.mend()
            with stopping.gently():
                importlib.import_module(f"wmframe.stages.{node.stage}").run(task)

        artefact = self._store.obtain(request, produce)
        self._folders[node.name] = artefact
        seconds = time.monotonic() - began
        if not ran:
            self._progress.say(f"{node.name}: cached {artefact.key}")
            if "history.jsonl" in artefact.manifest["files"]:
                for row in history.read(artefact.file("history.jsonl")):
                    mirror(row)
        if self._mirror is not None:
            self._mirror.artefact(artefact, made=ran)
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
            key=node.key,
            config=node.config,
            inputs={name: self._folders[parent.name].path for name, parent in node.parents.items()},
            work=work,
            machine=self._machine,
            allowed=self._allowed,
            progress=self._progress,
            listener=listener,
        )


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


def _names(node: Node) -> tuple[str, ...]:
    return tuple(parent.name for parent in node.parents.values())


def _seed(experiment: Component) -> int:
    seed = experiment.arguments["seed"]
    return seed if isinstance(seed, int) else 0


def _unheard(_: Row) -> None:
    return
