"""A sweep's page: the table, its figures, every job. `SweepRows` and their `Table` come in, HTML text goes out.

Like a run's page it needs no script and no network, and follows the reader's colours; its links lead to the pages of
the sweep's runs. Called by `wmframe.report.sweep`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from wmframe.engine.runs.sweeps import JobRecord
from wmframe.report.contents import Curve, Score
from wmframe.report.curves import draw
from wmframe.report.html import fill
from wmframe.report.numbers import number
from wmframe.report.statistics import LEAST_RUNS, summarise
from wmframe.report.strips import HEIGHT, Axis, Strip, axis_for, strip_for
from wmframe.report.sweep_figures import figures
from wmframe.report.sweep_jobs import TrainingRun
from wmframe.report.sweep_rows import SweepRows
from wmframe.report.sweep_table import Line, Table, apart, difference_words, paper_words, span


@dataclass(frozen=True)
class Row:
    """A line and its picture: every run's dot, the mean, the interval where there is one, the paper's mark."""

    line: Line
    strip: Strip | None
    paper: float | None


@dataclass(frozen=True)
class Drawing:
    """A figure and its picture."""

    curve: Curve
    svg: Markup


@dataclass(frozen=True)
class JobRow:
    """A job, how it stands, what sets it apart, and its run if it finished."""

    job: JobRecord
    told: Sequence[str]
    run: TrainingRun | None


def render(rows: SweepRows, table: Table) -> str:
    """Return the page as HTML text; the same sweep gives the same bytes."""
    axis = _axis([line for line in table.lines if not line.quantity])
    runs = {run.job: run for row in rows.configurations for run in (*row.runs, *row.repeats)}
    board = [_row(line, axis) for line in table.lines]
    return fill(
        "sweep.html.jinja",
        "page.css",
        "sweep.css",
        table=table,
        headline=_headline(rows, table),
        command=rows.record.command,
        board=board,
        axis=axis,
        height=HEIGHT,
        random=axis.place(mean) if axis is not None and (mean := _random_mean(table)) is not None else None,
        scored=rows.scored,
        measured=[(name, _places(table, name)) for name in rows.measured],
        dreams=any(line.gap is not None for line in table.lines),
        paper=any(line.paper is not None for line in table.lines),
        diamonds=any(row.paper is not None for row in board),
        drawings=[Drawing(curve, draw(curve)) for curve in figures(rows)],
        jobs=[JobRow(job, told, runs.get(job.number)) for job, told in zip(rows.jobs, rows.told, strict=True)],
        span=span,
        apart=apart,
        paper_words=paper_words,
        difference_words=difference_words,
    )


def _axis(lines: Sequence[Line]) -> Axis | None:
    known = [value for line in lines for value in (*line.means, line.mean) if value is not None]
    known += [line.paper.mean for line in lines if line.paper is not None and line.paper.same_task]
    known += [end for line in lines if line.interval is not None for end in (line.interval.low, line.interval.high)]
    return axis_for(known) if known else None


def _row(line: Line, axis: Axis | None) -> Row:
    if axis is None or line.mean is None or line.quantity:
        return Row(line, None, None)
    means = line.means or [line.mean]
    seeds = [run.seed for run in line.runs]
    known = [seed for seed in seeds if seed is not None]
    score = Score(
        name=line.kind,
        label=line.labels[0],
        returns=means,
        world="reality",
        seeds=known if len(known) == len(means) else (),
    )
    strip = strip_for(score, summarise(means), axis, line.places)
    ends = (line.interval.low, line.interval.high) if line.interval is not None else (line.mean, line.mean)
    strip = replace(strip, low=axis.place(ends[0]), high=axis.place(ends[1]), dots=strip.dots if line.runs else ())
    paper = axis.place(line.paper.mean) if line.paper is not None and line.paper.same_task else None
    return Row(line, strip, paper)


def _places(table: Table, quantity: str) -> int:
    return next(line.places for line in table.lines if line.quantity == quantity)


def _random_mean(table: Table) -> float | None:
    return next((line.mean for line in table.lines if line.kind == "random"), None)


def _headline(rows: SweepRows, table: Table) -> str:
    """Say how much of the sweep there is and where its highest mean lies, and claim no more than that."""
    done, count = len(rows.runs), len(rows.configurations)
    asked = done + sum(len(row.missing) for row in rows.configurations)
    size = f"{count} configuration{'s' * (count != 1)}, "
    size += f"{asked} training run{'s' * (asked != 1)}" if done == asked else f"{done} of {asked} training runs"
    if not done:
        return f"{size}: none has a score yet."
    ran = [line for line in table.lines if line.runs and not line.quantity]
    if not ran:
        return f"{size}."
    best = max(ran, key=lambda line: line.mean or 0.0)
    row = rows.ablation.name if rows.ablation is not None else ""  # a row's name says enough by itself
    pairs = [(key, said) for key, said in zip(table.keys, best.labels, strict=True) if rows.keys]
    named = ", ".join(said if key == row else f"{key} {said}" for key, said in pairs)
    where = f" is that of {named}" if named else ""
    random = _random_mean(table)
    beside = f"; the random policy's is {number(random, table.places)}" if random is not None else ""
    most = max(len(line.runs) for line in ran)
    doubt = f" With {most} run{'s' * (most != 1)} a row there is no interval." if most < LEAST_RUNS else ""
    mean = number(best.mean, table.places)
    return f"{size}. The highest mean awake, {mean},{where}{beside}.{doubt}".replace(",;", ";").replace(",.", ".")
