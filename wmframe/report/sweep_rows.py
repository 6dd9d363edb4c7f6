"""A sweep's jobs as rows: one configuration each, with its training runs and with what is missing.

In: a sweep's folder, finished, partial or crashed. Out: `SweepRows`, for the table, the figures and the page. Called by
`wmframe.report.sweep`. Jobs that differ in nothing but `seed` are training runs of one configuration.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from wmframe.config.ablation import Ablation, read_ablation
from wmframe.config.files import read_mapping
from wmframe.errors import UserError
from wmframe.pipeline.runs import Run, is_name
from wmframe.pipeline.sweeps import JobRecord, Sweep, SweepRecord
from wmframe.report.contents import Score
from wmframe.report.story import comparable, paces

_OF_ANY_ROW: Final = frozenset(
    {"name", "experiment", "preset", "env", "collect", "vision", "evaluate", "trainer", "tracker", "paths"}
)
"""Groups that a V-only run shares with the sweep beside which it stands."""


@dataclass(frozen=True, kw_only=True)
class TrainingRun:
    """One finished training run: its scores awake and in its dream, and what the dream promises beyond reality.

    `promised` and `paid` are the means of the two that may be set side by side, per 100 steps where `SweepRows.paced`.
    """

    job: int
    seed: int | None
    name: str
    awake: Score
    dream: Score | None
    promised: float | None = None
    paid: float = 0.0

    @property
    def mean(self) -> float:
        """The mean return awake."""
        return sum(self.awake.returns) / len(self.awake.returns)

    @property
    def dreamt(self) -> float | None:
        """The mean return in the dream, None for a run that was trained awake."""
        return None if self.dream is None else sum(self.dream.returns) / len(self.dream.returns)

    @property
    def gap(self) -> float | None:
        """What the dream promises and reality does not pay."""
        return None if self.promised is None else self.promised - self.paid


@dataclass(frozen=True)
class Missing:
    """A job without a score, and why."""

    job: int
    cause: str


@dataclass(frozen=True, kw_only=True)
class Paper:
    """The paper's numbers for a row; `same_task` if they were measured in the environment that the runs were."""

    mean: float
    std: float
    dream_mean: float | None = None
    dream_std: float | None = None
    same_task: bool = False


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """One row: its value of every key that differs between rows, its training runs, what is missing."""

    values: Mapping[str, str]
    runs: Sequence[TrainingRun]
    missing: Sequence[Missing]
    v_only: bool
    paper: Paper | None = None


@dataclass(frozen=True, kw_only=True)
class SweepRows:
    """All rows, in the order of the sweep. `keys` differ between rows; `random` are the random policy's scores.

    There is one of these for each environment or set of report seeds. `v_only_command` runs a V-only row where the
    sweep has none. `paced` says that dreams and episodes differ in length, so that a gap is per 100 steps.
    """

    record: SweepRecord
    ablation: Ablation | None
    keys: Sequence[str]
    configurations: Sequence[Configuration]
    random: Sequence[Score]
    v_only_command: str
    paced: bool
    jobs: Sequence[JobRecord]


def gather_rows(sweep: Sweep) -> SweepRows:
    """Read all that a sweep's table shows. A run that cannot be read is missing; raises UserError for sweep.json."""
    record, jobs = sweep.record(), sweep.jobs()
    ablation = read_ablation(record.ablation, sweep.folder / "sweep.json") if record.ablation is not None else None
    groups: dict[tuple[str, ...], list[JobRecord]] = {}
    for job in jobs:
        groups.setdefault(tuple(o for o in job.overrides if _split(o)[0] != "seed"), []).append(job)
    common = set.intersection(*map(set, groups)) if groups else set()
    random: dict[tuple[float, ...], Score] = {}
    found = [_configuration(sweep, told, members, common, ablation, random) for told, members in groups.items()]
    paced = any(_unit(run) for row in found for run in row.runs)
    return SweepRows(
        record=record,
        ablation=ablation,
        keys=list(dict.fromkeys(key for row in found for key in row.values)),
        configurations=[replace(row, runs=[_compared(run, paced) for run in row.runs]) for row in found],
        random=list(random.values()),
        v_only_command="" if any(row.v_only for row in found) else _v_only_command(common),
        paced=paced,
        jobs=jobs,
    )


def _configuration(
    sweep: Sweep,
    overrides: tuple[str, ...],
    jobs: Sequence[JobRecord],
    common: set[str],
    ablation: Ablation | None,
    random: dict[tuple[float, ...], Score],
) -> Configuration:
    runs, missing = [], []
    for job in jobs:
        try:
            runs.append(_finished(sweep, job, random))
        except UserError as error:
            missing.append(Missing(job.number, str(error)))
    config = _config(sweep, runs)
    paper = _paper(ablation, overrides)
    if ablation is not None and paper is not None:
        paper = replace(paper, same_task=ablation.paper_env == config.get("env", {}).get("_target_"))
    memory = config.get("memory", {}).get("_target_", "")
    return Configuration(
        values=_values(overrides, common, ablation),
        runs=runs,
        missing=missing,
        v_only=memory.endswith(".NoMemory") or "memory=none" in overrides,
        paper=paper,
    )


def _finished(sweep: Sweep, job: JobRecord, random: dict[tuple[float, ...], Score]) -> TrainingRun:
    """Return a finished job's run; raises UserError, in words for the table, for any other."""
    if job.state != "finished":
        raise UserError(f"{job.state}: {job.error}" if job.error else job.state)
    if not is_name(job.run):
        raise UserError("its run has no name that a run could have")
    record = Run(sweep.root / "runs" / job.run).record()
    try:
        scores = {world: _score(world, row, record.seeds) for world, row in record.scores.items()}
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"its scores cannot be read: {error}") from error
    if "reality" not in scores:
        raise UserError("it has no score awake")
    if "random" in scores:
        random.setdefault(tuple(scores["random"].returns), scores["random"])
    seed = record.provenance.get("seed")
    return TrainingRun(
        job=job.number,
        seed=seed if isinstance(seed, int) else None,
        name=job.run,
        awake=scores["reality"],
        dream=scores.get("dream"),
    )


def _score(world: str, row: Mapping[str, Any], seeds: Sequence[int]) -> Score:
    return Score(
        name=world,
        label=world,
        returns=row["returns"],
        world="dream" if world == "dream" else "reality",
        seeds=seeds,
        steps=[int(length) for length in row["lengths"]],
    )


def _config(sweep: Sweep, runs: Sequence[TrainingRun]) -> Mapping[str, Any]:
    """Return the config of a configuration's first run, as plain data: it may name modules that are not there."""
    if not runs:
        return {}
    try:
        config = read_mapping(sweep.root / "runs" / runs[0].name / "config.yaml")
    except UserError:
        return {}
    return {key: part for key, part in config.items() if isinstance(part, dict)}


def _values(overrides: Sequence[str], common: set[str], ablation: Ablation | None) -> Mapping[str, str]:
    """Return what sets a configuration apart: its row of the ablation, and its values of keys that differ."""
    told = dict(_split(o) for o in overrides if o not in common)
    if ablation is None or not ablation.rows:
        return told
    varied = {_split(o)[0] for row in ablation.rows.values() for o in row}
    rest = {key: value for key, value in told.items() if key not in varied}
    return {ablation.name: ablation.row_of(overrides), **rest}


def _paper(ablation: Ablation | None, overrides: Sequence[str]) -> Paper | None:
    if ablation is None:
        return None
    names = [name for name in (ablation.row_of(overrides), *overrides) if name in ablation.paper]
    if not names:
        return None
    said = ablation.paper[names[0]]
    return Paper(mean=said["mean"], std=said["std"], dream_mean=said.get("dream_mean"), dream_std=said.get("dream_std"))


def _v_only_command(common: set[str]) -> str:
    shared = sorted(o for o in common if _split(o)[0].partition(".")[0] in _OF_ANY_ROW)
    return shlex.join(["wmframe", "run", "-m", "ablation=senses", *shared])


def _unit(run: TrainingRun) -> str:
    return "" if run.dream is None else comparable(run.dream, run.awake)[2]


def _compared(run: TrainingRun, paced: bool) -> TrainingRun:
    if run.dream is None:
        return run
    dream, awake = (paces(score) if paced else score.returns for score in (run.dream, run.awake))
    return replace(run, promised=sum(dream) / len(dream), paid=sum(awake) / len(awake))


def _split(override: str) -> tuple[str, str]:
    key, equals, value = override.partition("=")
    return key.lstrip("+"), value if equals else "left out"
