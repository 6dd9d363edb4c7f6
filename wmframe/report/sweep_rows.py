"""A sweep's jobs as rows: one configuration each, with its training runs and with what is missing.

In: a sweep's folder, finished, partial or crashed. Out: `SweepRows`, for the table, the figures and the page. Called by
`wmframe.report.sweep`. Jobs that differ in nothing but `seed` are training runs of one configuration.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from wmframe.engine.config.ablation import Ablation, read_ablation
from wmframe.engine.runs.sweeps import JobRecord, Sweep, SweepRecord
from wmframe.report.contents import Score
from wmframe.report.senses import is_v_only, remembers, v_only_command
from wmframe.report.story import comparable, paces
from wmframe.report.sweep_jobs import ComputedJob, Missing, TrainingRun, by_configuration, read_job


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
    """One row: its value of every key that differs between rows, its training runs, what is missing.

    `repeats` are jobs whose result is one of `runs`, and no training run of their own.
    """

    values: Mapping[str, str]
    runs: Sequence[TrainingRun]
    repeats: Sequence[TrainingRun]
    missing: Sequence[Missing]
    v_only: bool
    paper: Paper | None = None


@dataclass(frozen=True, kw_only=True)
class SweepRows:
    """All rows, in the order of the sweep. `keys` differ between rows; `random` are the random policy's scores.

    There is one of these for each environment or set of report seeds. `scored` says that runs have a score awake, or
    that there is no run yet; `compared`, that these are of world models, beside which the random policy and V alone
    belong. `v_only_command` runs a V-only row where the sweep lacks one. `paced` says that dreams and
    episodes differ in length, so that a gap is per 100 steps. `told` has what sets each of `jobs` apart.
    """

    record: SweepRecord
    ablation: Ablation | None
    keys: Sequence[str]
    configurations: Sequence[Configuration]
    random: Sequence[Score]
    scored: bool
    compared: bool
    v_only_command: str
    paced: bool
    jobs: Sequence[JobRecord]
    told: Sequence[Sequence[str]]

    @property
    def measured(self) -> Sequence[str]:
        """The names of all quantities that runs have beside their scores awake and in their dreams."""
        return list(dict.fromkeys(name for row in self.configurations for run in row.runs for name in run.others))

    @property
    def runs(self) -> Sequence[TrainingRun]:
        """Every training run once, even if several rows score its agent."""
        every = [run for row in self.configurations for run in row.runs]
        return list({run.trained: run for run in reversed(every)}.values())


def gather_rows(sweep: Sweep) -> SweepRows:
    """Read all that a sweep's table shows. A run that cannot be read is missing; raises UserError for sweep.json."""
    record = sweep.record()
    ablation = read_ablation(record.ablation, sweep.folder / "sweep.json") if record.ablation is not None else None
    random: dict[tuple[float, ...], Score] = {}
    jobs = [read_job(sweep, job, random) for job in sweep.jobs()]
    groups = by_configuration(jobs)
    common = set.intersection(*(set(job.words) for job in jobs)) if jobs else set()
    values = _differing([_values(group, common, ablation) for group in groups])
    found = [_configuration(group, told, ablation) for group, told in zip(groups, values, strict=True)]
    runs = [run for row in found for run in row.runs]
    scored = any(run.awake is not None for run in runs)
    begun = not any(job.record.state == "finished" for job in jobs)
    compared = (scored or begun) and remembers([job.config for job in jobs])
    lacks_v_only = compared and not any(row.v_only for row in found)
    paced = any(_unit(run) for run in runs)
    return SweepRows(
        record=record,
        ablation=ablation,
        keys=list(dict.fromkeys(key for row in found for key in row.values)),
        configurations=[replace(row, runs=[_compared(run, paced) for run in row.runs]) for row in found],
        random=list(random.values()),
        scored=scored or not runs,
        compared=compared,
        v_only_command=v_only_command([job.record for job in jobs]) if lacks_v_only else "",
        paced=paced,
        jobs=[job.record for job in jobs],
        told=[[word for word in job.words if word not in common] for job in jobs],
    )


def _configuration(jobs: Sequence[ComputedJob], values: Mapping[str, str], ablation: Ablation | None) -> Configuration:
    finished = [job.found for job in jobs if isinstance(job.found, TrainingRun)]
    first: dict[str, TrainingRun] = {}
    for run in finished:
        first.setdefault(run.result, run)
    runs = list(first.values())
    config = next((job.config for job in jobs if isinstance(job.found, TrainingRun)), {})
    paper = _paper(ablation, jobs[0])
    if ablation is not None and paper is not None:
        paper = replace(paper, same_task=ablation.paper_env in _targets(config))
    return Configuration(
        values=values,
        runs=runs,
        repeats=[run for run in finished if run not in runs],
        missing=[job.found for job in jobs if isinstance(job.found, Missing)],
        v_only=is_v_only(config, jobs[0].record.overrides),
        paper=paper,
    )


def _targets(config: Mapping[str, Any]) -> set[str]:
    """Return the targets of a config's parts."""
    return {str(part["_target_"]) for part in config.values() if isinstance(part, dict) and "_target_" in part}


def _values(jobs: Sequence[ComputedJob], common: set[str], ablation: Ablation | None) -> Mapping[str, str]:
    """Return what sets a configuration apart: its row of the ablation, and its values of keys that differ.

    Where jobs of other words have the same results, these are all their values: "1 or 2".
    """
    rows = ablation.rows if ablation is not None else {}
    varied = {_split(o)[0] for row in rows.values() for o in row} | {"seed"}
    told: dict[str, dict[str, None]] = {}
    for job in jobs:
        if ablation is not None and rows:
            told.setdefault(ablation.name, {})[ablation.row_of(job.record.overrides)] = None
        for key, value in (_split(word) for word in job.words if word not in common):
            if key not in varied:
                told.setdefault(key, {})[value] = None
    return {key: " or ".join(values) for key, values in told.items()}


def _differing(rows: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """Return every row's values without those that all rows have."""
    same = set.intersection(*(set(row.items()) for row in rows)) if rows else set()
    return [{key: value for key, value in row.items() if (key, value) not in same} for row in rows]


def _paper(ablation: Ablation | None, job: ComputedJob) -> Paper | None:
    if ablation is None:
        return None
    names = [name for name in (ablation.row_of(job.record.overrides), *job.words) if name in ablation.paper]
    if not names:
        return None
    said = ablation.paper[names[0]]
    return Paper(mean=said["mean"], std=said["std"], dream_mean=said.get("dream_mean"), dream_std=said.get("dream_std"))


def _unit(run: TrainingRun) -> str:
    return "" if run.dream is None or run.awake is None else comparable(run.dream, run.awake)[2]


def _compared(run: TrainingRun, paced: bool) -> TrainingRun:
    if run.dream is None or run.awake is None:
        return run
    dream, awake = (paces(score) if paced else score.returns for score in (run.dream, run.awake))
    return replace(run, promised=sum(dream) / len(dream), paid=sum(awake) / len(awake))


def _split(override: str) -> tuple[str, str]:
    key, equals, value = override.partition("=")
    return key.lstrip("+"), value if equals else "left out"
