"""Run folders: what a person finds after a run, and what later commands open.

    runs/20261122-104500-toy-3f2a/
        config.yaml    the whole experiment, every default written out
        graph.json     every result that it is made of, done or to come, as the recipe was traced
        run.json       command, stages with their keys, scores, how it ended
        report.html    the page (written by the command)
        films/         what was filmed while it went on, if anything; film.webp is the newest
        run.lock       held while the run goes on
    runs/latest        a link to the run that finished last

Called by the runner and by the commands that take a RUN.
"""

import contextlib
import difflib
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, FiniteFloat, with_config

from wmframe.engine.config.bind import Component
from wmframe.engine.durability.checksummed import read_vouched_text, write_vouched, write_vouched_text
from wmframe.engine.durability.files import link_atomic
from wmframe.engine.errors import UserError
from wmframe.engine.graph.node import Node
from wmframe.engine.runs.planned import NAME, RunGraph
from wmframe.engine.runs.records import read_experiment, read_record
from wmframe.engine.store.single_flight import try_hold

RunState = Literal["running", "finished", "failed", "stopped"]
"""How a run stands; "stopped" is one whose process is gone without a word, and is never written."""

_FOLDER = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,119}")
"""A run's folder: a time and four digits around a name."""
CONFIG, GRAPH = "config.yaml", "graph.json"
"""What a run's folder holds from its beginning."""

_RECORD, _LOCK, _LATEST = "run.json", "run.lock", "latest"
_OWNER = "run"
"""Whom a run's files vouch for themselves as."""


FILM_FOLDER, NEWEST_FILM = "films", "film"
"""A run's folder of films, and what the newest of them is called beside it, without its suffix."""

Score = Mapping[str, Sequence[FiniteFloat]]
"""Columns with a row for everything that was scored: what it returned ("returns"), and how long it was ("lengths")."""


def _scored(score: Score) -> Score:
    if not score.get("returns") or len(score.get("lengths", ())) != len(score["returns"]):
        raise ValueError("every row has a return and a length, and there is at least one")
    return score


@with_config(extra="forbid")
@dataclass(frozen=True, kw_only=True)
class StageRecord:
    """How a run came by one result: its name in the graph, its key, whether it was there already, and the time.

    `publishes` is what others may use it as, as its stage is declared.
    """

    name: str
    stage: str
    key: str
    state: Literal["cached", "ran"]
    seconds: float
    publishes: str = ""

    @classmethod
    def of(cls, node: Node, state: Literal["cached", "ran"], seconds: float) -> "StageRecord":
        """Return how a run came by a node of its graph."""
        stage = node.stage
        return cls(
            name=node.name, stage=stage.name, key=node.key, state=state, seconds=seconds, publishes=stage.publishes
        )


def _each_once(stages: tuple[StageRecord, ...]) -> tuple[StageRecord, ...]:
    if len({stage.name for stage in stages}) < len(stages):
        raise ValueError("a stage stands there twice")
    if wrong := [stage.name for stage in stages if NAME.fullmatch(stage.name) is None]:
        raise ValueError(f"{wrong[0]!r} is no stage's name")
    return stages


@with_config(extra="forbid")
@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """run.json. `scores` maps what was scored, or where, to its `Score`; `metrics` are numbers by stage ("fit/mse")."""

    command: str
    state: RunState
    started: str
    overrides: tuple[str, ...] = ()
    seconds: float = 0.0
    error: str = ""
    stages: Annotated[tuple[StageRecord, ...], AfterValidator(_each_once)] = ()
    scores: Mapping[str, Annotated[Score, AfterValidator(_scored)]] = field(default_factory=dict)
    seeds: tuple[int, ...] = ()
    metrics: Mapping[str, FiniteFloat] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def result(self) -> str:
        """The key of what it came to, in which all is that can change a score; "" before it is there."""
        return self.stages[-1].key if self.stages and self.state == "finished" else ""

    @property
    def quantities(self) -> dict[str, float]:
        """All that it came to in single numbers: the mean return of each score under its name, and the metrics."""
        return {name: fmean(score["returns"]) for name, score in self.scores.items()} | dict(self.metrics)

    def seeds_of(self, scored: str) -> Sequence[int]:
        """Return the seeds of a score's rows, none where they are not known."""
        return self.seeds if len(self.seeds) == len(self.scores[scored]["returns"]) else ()

    def published(self, kind: str) -> StageRecord | None:
        """Return the last result that others may use as such a thing, None if there is none."""
        return next((stage for stage in reversed(self.stages) if stage.publishes == kind), None)


@dataclass(frozen=True)
class Run:
    """A run's folder. `root` is where its artefacts and runs lie."""

    folder: Path

    @property
    def root(self) -> Path:
        """The project's folder, two above this one."""
        return self.folder.parent.parent

    @property
    def name(self) -> str:
        """The folder's name, unique among runs."""
        return self.folder.name

    def config(self) -> str:
        """Return the text of config.yaml; raises UserError if it is damaged."""
        return read_vouched_text(self.folder / CONFIG, _OWNER)

    def experiment(self, allowed: Sequence[str]) -> Component:
        """Return the experiment, bound again; raises ConfigError if the file does not hold one."""
        return read_experiment(self.folder / CONFIG, allowed, _OWNER)

    def graph(self) -> RunGraph:
        """Return graph.json; raises UserError if it is missing or damaged."""
        return read_record(self.folder / GRAPH, RunGraph, "a run's graph", _OWNER)

    def record(self) -> RunRecord:
        """Return run.json; a run that calls itself running although no process holds it has stopped."""
        record = read_record(self.folder / _RECORD, RunRecord, "a run's record", _OWNER)
        if record.state == "running" and (lock := try_hold(self.folder / _LOCK)) is not None:
            with lock:
                return replace(record, state="stopped")
        return record

    def published(self, kind: str) -> StageRecord:
        """Return how it came by what others may use as such a thing; raises UserError if it has none yet."""
        record = self.record()
        found = record.published(kind)
        if found is None:
            why = "no stage of its published one" if record.state == "finished" else f"it is {record.state}"
            raise UserError(f"{self.name} has no {kind} yet: {why}. Its command: {record.command}", exit_code=1)
        return found

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Show, while the block runs, that this run goes on; the kernel takes the sign away from a killed process."""
        with try_hold(self.folder / _LOCK) or contextlib.nullcontext():
            yield

    def write(self, record: RunRecord) -> None:
        """Replace run.json; `latest` then points at a run that finished."""
        write_vouched(self.folder / _RECORD, asdict(record), _OWNER)
        if record.state == "finished":
            link_atomic(self.folder.parent / _LATEST, self.folder.name)


def is_name(name: str) -> bool:
    """Tell whether a run's folder could be called so: nothing that leads anywhere else."""
    return _FOLDER.fullmatch(name) is not None


def check_name(name: str) -> None:
    """Raise UserError for a name that is no part of a folder's."""
    if NAME.fullmatch(name) is None:
        raise UserError(f"name={name!r}: use 1 to 80 letters, digits, dots, dashes and underscores")


def create_run(root: Path, name: str, experiment: Component, nodes: Sequence[Node]) -> Run:
    """Make a folder of its own for a new run of these nodes, however many start in the same second."""
    check_name(name)
    runs = root / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    while True:
        folder = runs / f"{stamp}-{name}-{secrets.token_hex(2)}"
        try:
            folder.mkdir()
            break
        except FileExistsError:
            continue
    config = yaml.safe_dump(experiment.plain(), sort_keys=False, allow_unicode=True)
    write_vouched_text(folder / CONFIG, config, _OWNER)
    write_vouched(folder / GRAPH, RunGraph.of(nodes).plain(), _OWNER)
    return Run(folder)


def find_run(named: str, *, runs: Path = Path("runs")) -> Run:
    """Return the run that a person names by its folder, by its name under `runs`, or as "latest", the last finished."""
    for folder in (Path(named), runs / named):
        if (folder / _RECORD).is_file():
            return Run(folder.resolve())
    there = [path.name for path in _folders(runs)]
    near = difflib.get_close_matches(named, there, 3, 0.3) or there[-3:]
    hint = f" The nearest: {', '.join(near)}." if near else f" There are no runs under {runs}/ yet: wmframe run"
    raise UserError(f"no run {named!r}.{hint}")


def all_runs(runs: Path) -> list[Run]:
    """Return every run under `runs`, oldest first."""
    return [Run(folder) for folder in _folders(runs)]


def _folders(runs: Path) -> list[Path]:
    return sorted(path.parent for path in runs.glob(f"*/{_RECORD}") if not path.parent.is_symlink())
