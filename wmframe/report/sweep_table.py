"""The table of a sweep: what each row says, whoever writes it down.

In: `SweepRows`. Out: a `Table`, and words. Called by `wmframe.report.sweep`, its texts and its page. Every mean is
over training runs, of each run's mean over its episodes or of what its stages measured; no maximum over training stands
anywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from wmframe.report.contents import Score
from wmframe.report.numbers import decimals, number, signed, significant
from wmframe.report.statistics import Interval, interval_over_runs
from wmframe.report.sweep_jobs import Missing, TrainingRun
from wmframe.report.sweep_rows import Configuration, Paper, SweepRows


@dataclass(frozen=True, kw_only=True)
class Line:
    """One row: its labels, and whatever of the rest is known of it.

    It is of a `quantity` that stages measured, or without a name of the return awake. `means` has one number for each
    of `runs`: its mean return awake, or the quantity. `difference` is to the paper's mean, `places` how many decimals
    its numbers have. `note` says why numbers are missing. `kind` tells the random policy and a V-only row that was not
    run from the rest.
    """

    labels: Sequence[str]
    kind: str = "configuration"
    quantity: str = ""
    places: int = 0
    runs: Sequence[TrainingRun] = ()
    means: Sequence[float] = ()
    mean: float | None = None
    interval: Interval | None = None
    worst: float | None = None
    episodes: Sequence[int] = ()
    dream: float | None = None
    gap: float | None = None
    paper: Paper | None = None
    difference: float | None = None
    note: str = ""

    @property
    def interval_words(self) -> str:
        """Why there is no interval; nothing where there is one, or no run."""
        return f"no interval, n = {len(self.runs)}" if self.runs and self.interval is None else ""

    @property
    def episodes_words(self) -> str:
        """How many episodes each run was scored on: 24, or 24 to 100."""
        few, many = (min(self.episodes), max(self.episodes)) if self.episodes else (0, 0)
        return "" if many == 0 else str(few) if few == many else f"{few} to {many}"


@dataclass(frozen=True, kw_only=True)
class Table:
    """All lines under their headings, how many decimals returns and gaps have, and what to know of them."""

    title: str
    keys: Sequence[str]
    lines: Sequence[Line]
    places: int
    gap_places: int
    gap_heading: str
    mean_heading: str
    notes: Sequence[str]


def tabulate(rows: SweepRows) -> Table:
    """Return the table. Every row's bootstrap draws from a generator of its own, so no row changes another."""
    scored = _scored(rows) if rows.scored else []
    places = decimals(value for line in scored for value in (*line.means, line.mean or 0.0))
    lines = [replace(line, places=places) for line in scored]
    if rows.measured:
        lines = [replace(line, labels=[*line.labels, "return awake"]) for line in lines]
        lines += [line for name in rows.measured for line in _measured(name, rows)]
    gaps = [line.gap for line in lines if line.gap is not None]
    return Table(
        title=rows.ablation.title if rows.ablation is not None else rows.record.name,
        keys=[*(rows.keys or ["configuration"]), *(["quantity"] if rows.measured else [])],
        lines=lines,
        places=places,
        gap_places=decimals(gaps),
        gap_heading="gap per 100 steps" if rows.paced else "gap",
        mean_heading="mean" if rows.measured else "mean awake",
        notes=_notes(rows),
    )


def _scored(rows: SweepRows) -> list[Line]:
    """Return the lines of returns awake: one a configuration, and what belongs beside them."""
    lines = [_line(row, rows.keys, np.random.default_rng(0)) for row in rows.configurations]
    pad = [""] * (max(len(rows.keys), 1) - 1)
    if rows.v_only_command:
        lines.append(Line(labels=["V only", *pad], kind="not run", note=f"not run: {rows.v_only_command}"))
    lines += [_random(score, [f"random policy{_of(n, rows.random)}", *pad]) for n, score in enumerate(rows.random, 1)]
    if rows.compared and not rows.random:
        lines.append(Line(labels=["random policy", *pad], kind="not run", note="no run has finished"))
    return lines


def _measured(name: str, rows: SweepRows) -> list[Line]:
    """Return the lines of one of the quantities that stages measured, one a configuration."""
    lines = []
    for row in rows.configurations:
        runs = [run for run in row.runs if name in run.others]
        means = [run.others[name] for run in runs]
        lines.append(
            Line(
                labels=[*_labels(row, rows.keys), name],
                quantity=name,
                runs=runs,
                means=means,
                mean=sum(means) / len(means) if means else None,
                interval=interval_over_runs(means, np.random.default_rng(0)),
                note=_note(row),
            )
        )
    places = significant(value for line in lines for value in line.means)
    return [replace(line, places=places) for line in lines]


def _line(row: Configuration, keys: Sequence[str], generator: np.random.Generator) -> Line:
    labels, note = _labels(row, keys), _note(row)
    runs = [run for run in row.runs if run.awake is not None]
    if len(runs) == 0:
        return Line(labels=labels, paper=row.paper, note=note)
    means = [run.mean for run in runs if run.mean is not None]
    mean = sum(means) / len(means)
    dreamt = [run.dreamt for run in runs if run.dreamt is not None]
    gaps = [run.gap for run in runs if run.gap is not None]
    return Line(
        labels=labels,
        runs=runs,
        means=means,
        mean=mean,
        interval=interval_over_runs(means, generator),
        worst=min(means),
        episodes=[len(run.awake.returns) for run in runs if run.awake is not None],
        dream=sum(dreamt) / len(dreamt) if dreamt else None,
        gap=sum(gaps) / len(gaps) if gaps else None,
        paper=row.paper,
        difference=mean - row.paper.mean if row.paper is not None and row.paper.same_task else None,
        note=note,
    )


def _labels(row: Configuration, keys: Sequence[str]) -> list[str]:
    return [row.values.get(key, "–") for key in keys] or ["all runs"]


def _note(row: Configuration) -> str:
    return "; ".join(filter(None, [_why(row.missing), _once(row)]))


def _random(score: Score, labels: Sequence[str]) -> Line:
    mean = sum(score.returns) / len(score.returns)
    return Line(labels=labels, kind="random", mean=mean, episodes=[len(score.returns)], note="untrained")


def _of(number: int, all_of_them: Sequence[Score]) -> str:
    """Environments or seeds that differ between jobs have a random policy each."""
    return f" ({number} of {len(all_of_them)})" if len(all_of_them) > 1 else ""


def _why(missing: Sequence[Missing]) -> str:
    causes: dict[str, list[str]] = {}
    for job in missing:
        causes.setdefault(job.cause, []).append(str(job.job))
    return "; ".join(f"job{'s' * (len(jobs) > 1)} {', '.join(jobs)} {cause}" for cause, jobs in causes.items())


def _once(row: Configuration) -> str:
    """Say so where jobs came to a result that another has: it is one training run, and counts once."""
    if not row.repeats:
        return ""
    jobs, runs = len(row.runs) + len(row.repeats), len(row.runs)
    return f"{jobs} jobs computed {runs} training run{'s' * (runs != 1)}: the same result counts once"


def _notes(rows: SweepRows) -> list[str]:
    over = "Mean and interval are over runs."
    if rows.scored:
        over = "Mean, worst run and interval are over training runs, each run's score being the mean of its episodes "
        over += "awake."
    notes = [f"{over} The interval is the bootstrap's 95 %, given from five runs on."]
    if any(run.gap is not None for row in rows.configurations for run in row.runs):
        unit = ", both per 100 steps because dreams and episodes differ in length" if rows.paced else ""
        notes.append(f"The gap is the return in the dream minus the return awake{unit}.")
    if rows.ablation is not None:
        notes.append(f"Paper: {rows.ablation.source}")
    if any(row.paper is not None and row.paper.same_task and row.runs for row in rows.configurations):
        notes.append(
            "The difference is the mean minus the paper's, its interval that of the mean: the paper has one training "
            "run a row, and its number is taken as it stands."
        )
    return [*notes, f"Command: {rows.record.command}"]


def span(interval: Interval | None, places: int) -> str:
    """Write an interval: [380, 452]; a missing one as nothing."""
    return "" if interval is None else f"[{number(interval.low, places)}, {number(interval.high, places)}]"


def paper_words(paper: Paper | None, *, dream: bool = False) -> str:
    """Write the paper's number: 906 ± 21; with `dream`, the one in its dream too, where there is one."""
    if paper is None:
        return ""
    dreamt = f" (dream {number(paper.dream_mean)} ± {number(paper.dream_std)})" if dream and paper.dream_mean else ""
    return f"{number(paper.mean)} ± {number(paper.std)}{dreamt}"


def difference_words(line: Line, places: int) -> str:
    """Write the difference to the paper, with its interval where the row has one."""
    if line.paper is None or line.mean is None:
        return ""
    if line.difference is None:
        return "another task"
    return f"{signed(line.difference, places)} {span(apart(line), places)}".rstrip()


def apart(line: Line) -> Interval | None:
    """Return the interval of the difference to the paper's mean, which is taken as it stands."""
    if line.interval is None or line.paper is None or line.difference is None:
        return None
    return Interval(line.interval.low - line.paper.mean, line.interval.high - line.paper.mean)
