"""A sweep's jobs by what they computed, not by what was typed: whose training run is whose, and which are one.

In: a sweep's folder. Out: `ComputedJob`s, grouped by configuration. Called by `sweep_rows`. A result's key holds all
that can change it, so jobs with one key are one training run, however many they are and whatever they were told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wmframe.engine.config.files import read_mapping
from wmframe.engine.config.touched import as_composed
from wmframe.engine.errors import UserError
from wmframe.engine.runs.runs import Run, RunRecord, is_name
from wmframe.engine.runs.sweeps import JobRecord, Sweep
from wmframe.report.contents import Score
from wmframe.report.scoreboard import LABELS


@dataclass(frozen=True, kw_only=True)
class TrainingRun:
    """One finished training run: its scores awake and in its dream, and what the dream promises beyond reality.

    `others` are all its other quantities: what its stages measured, and the means of scores that are neither.
    `promised` and `paid` are the means of the two that may be set side by side, per 100 steps where `SweepRows.paced`.
    `result` is the key of its scores; `trained` that of its agent, which other runs may have scored elsewhere.
    """

    job: int
    seed: int | None
    name: str
    result: str
    trained: str
    awake: Score | None
    dream: Score | None
    others: Mapping[str, float] = field(default_factory=dict)
    promised: float | None = None
    paid: float = 0.0

    @property
    def mean(self) -> float | None:
        """The mean return awake, None for a run without a score awake."""
        return None if self.awake is None else sum(self.awake.returns) / len(self.awake.returns)

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
class ComputedJob:
    """A job, the config that it ran or is to run, its overrides as that has them, and its run or why there is none.

    `words` are without the place where results lie.
    """

    record: JobRecord
    config: Mapping[str, Any]
    words: Sequence[str]
    found: TrainingRun | Missing


def read_job(sweep: Sweep, job: JobRecord, random: dict[tuple[float, ...], Score]) -> ComputedJob:
    """Return a job with its run, or why there is none; a random policy's scores that are new go into `random`."""
    found: TrainingRun | Missing
    try:
        found = _finished(sweep, job, random)
    except UserError as error:
        found = Missing(job.number, str(error))
    config = _config(sweep, job, found)
    # Where results lie tells no job from another: those of a sweep that was moved lie in two places.
    words = [word for word in as_composed(job.overrides, config) if not word.startswith("paths.")]
    return ComputedJob(record=job, config=config, words=words, found=found)


def by_configuration(jobs: Sequence[ComputedJob]) -> list[list[ComputedJob]]:
    """Return the jobs by configuration: those of the same words but for the seed, and those of the same results."""
    by_words: dict[tuple[str, ...], list[ComputedJob]] = {}
    for job in jobs:
        by_words.setdefault(tuple(word for word in job.words if not word.startswith("seed=")), []).append(job)
    groups: list[list[ComputedJob]] = []
    for members in by_words.values():
        same = [group for group in groups if _results(group) & _results(members)]
        groups = [group for group in groups if group not in same[1:]]
        if same:
            same[0].extend(job for group in (*same[1:], members) for job in group)
        else:
            groups.append(members)
    return [sorted(group, key=lambda job: job.record.number) for group in groups]


def _results(jobs: Sequence[ComputedJob]) -> set[str]:
    return {job.found.result for job in jobs if isinstance(job.found, TrainingRun)}


def _finished(sweep: Sweep, job: JobRecord, random: dict[tuple[float, ...], Score]) -> TrainingRun:
    """Return a finished job's run; raises UserError, in words for the table, for any other."""
    if job.state != "finished":
        raise UserError(f"{job.state}: {job.error}" if job.error else job.state)
    if not is_name(job.run):
        raise UserError("its run has no name that a run could have")
    record = Run(sweep.root / "runs" / job.run).record()
    try:
        scores = {world: _score(world, row, record.seeds_of(world)) for world, row in record.scores.items()}
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"its scores cannot be read: {error}") from error
    awake = scores.get("reality")
    shown = LABELS.keys() if awake is not None else {"random"}
    others = {name: value for name, value in record.quantities.items() if name not in shown}
    if awake is None and not others:
        raise UserError("it has no score and no metrics")
    if "random" in scores:
        random.setdefault(tuple(scores["random"].returns), scores["random"])
    seed = record.provenance.get("seed")
    return TrainingRun(
        job=job.number,
        seed=seed if isinstance(seed, int) else None,
        name=job.run,
        result=record.result or job.run,
        trained=_trained(record) or job.run,
        awake=awake,
        dream=scores.get("dream") if awake is not None else None,
        others=others,
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


def _config(sweep: Sweep, job: JobRecord, found: TrainingRun | Missing) -> Mapping[str, Any]:
    """Return the config that a job ran, or is to run, as plain data: it may name modules that are not there."""
    try:
        if isinstance(found, TrainingRun):
            return read_mapping(sweep.root / "runs" / found.name / "config.yaml")
        return sweep.config(job.number)
    except UserError:
        return {}


def _trained(record: RunRecord) -> str:
    """Return the key of what was trained, whatever it was then scored on: its agent's, or that of the last result."""
    agent = record.published("agent")
    return agent.key if agent else record.result
