"""A sweep's figures: score, or what was measured, over each number that was varied, and dreams against reality.

In: `SweepRows`. Out: `Curve`s. Called by the sweep's page.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Final

from wmframe.report.contents import Curve, Series
from wmframe.report.curves import LINES
from wmframe.report.numbers import number
from wmframe.report.statistics import rank_correlation
from wmframe.report.sweep_jobs import TrainingRun
from wmframe.report.sweep_rows import Configuration, SweepRows

_GREY, _PAPER = 2, 4
"""The colours of the random policy and of the paper."""

_MOST_LINES: Final = 2 * LINES

Score = Callable[[TrainingRun], float | None]


def figures(rows: SweepRows) -> list[Curve]:
    """Return every figure that there are numbers for."""
    found = []
    for key in rows.keys:
        if numeric := _numeric(rows.configurations, key):
            found += _score_over(key, numeric, rows) + _gap_over(key, numeric, rows)
            found += [curve for name in rows.measured for curve in _measured_over(key, numeric, name)]
    return found + _dream_and_reality(rows)


def _numeric(configurations: Sequence[Configuration], key: str) -> Mapping[float, list[Configuration]]:
    """Return the configurations that ran by their value of a key, ascending; nothing unless two, and all numbers."""
    by_value: dict[float, list[Configuration]] = {}
    for row in configurations:
        try:
            by_value.setdefault(float(row.values[key]), []).append(row)
        except (KeyError, ValueError):
            return {}
    ran = {value: rows for value, rows in sorted(by_value.items()) if any(row.runs for row in rows)}
    return ran if len(ran) > 1 else {}


def _score_over(key: str, numeric: Mapping[float, list[Configuration]], rows: SweepRows) -> list[Curve]:
    lines = _lines(key, numeric, lambda run: run.mean)
    if not lines:
        return []
    x = list(numeric)
    for score in rows.random[:1]:
        mean = sum(score.returns) / len(score.returns)
        lines.append(Series("random policy", [x[0], x[-1]], [mean, mean], marks="level", colour=_GREY))
    papers = [(value, row.paper.mean) for value, found in numeric.items() for row in found if row.paper is not None]
    if papers and all(row.paper.same_task for found in numeric.values() for row in found if row.paper is not None):
        told = dict(papers)
        lines.append(Series("paper", list(told), list(told.values()), marks="diamonds", colour=_PAPER))
    return [_figure(f"Awake, by {key}", key, "mean return awake", lines, x)]


def _gap_over(key: str, numeric: Mapping[float, list[Configuration]], rows: SweepRows) -> list[Curve]:
    lines = _lines(key, numeric, lambda run: run.gap)
    if not lines:
        return []
    x = list(numeric)
    lines.append(Series("the dream keeps its word", [x[0], x[-1]], [0.0, 0.0], marks="level", colour=_GREY))
    unit = " per 100 steps" if rows.paced else ""
    note = "Above zero the dream promises more than reality pays."
    return [_figure(f"Dream minus reality, by {key}", key, f"gap{unit}", lines, x, note)]


def _measured_over(key: str, numeric: Mapping[float, list[Configuration]], name: str) -> list[Curve]:
    lines = _lines(key, numeric, lambda run: run.others.get(name))
    return [_figure(f"{name}, by {key}", key, name, lines, list(numeric))] if lines else []


def _lines(key: str, numeric: Mapping[float, list[Configuration]], score: Score) -> list[Series]:
    """Return a line through the means of each combination of the other keys, and a dot for every run."""
    combinations: dict[str, list[tuple[float, list[float]]]] = {}
    for value, configurations in numeric.items():
        for row in configurations:
            others = ", ".join(f"{name} {said}" for name, said in row.values.items() if name != key)
            runs = [found for run in row.runs if (found := score(run)) is not None]
            if runs:
                combinations.setdefault(others, []).append((value, runs))
    if len(combinations) > _MOST_LINES:
        return []
    lines, dots = [], []
    for index, (others, points) in enumerate(combinations.items()):
        colour = _colour(index)
        means = [sum(runs) / len(runs) for _, runs in points]
        lines.append(Series(others or "mean of the runs", [value for value, _ in points], means, colour=colour))
        every = [(value, run) for value, runs in points for run in runs]
        name = "one training run" if len(combinations) == 1 else ""
        dots.append(Series(name, [v for v, _ in every], [r for _, r in every], marks="dots", colour=colour))
    return [*lines, *dots]


def _colour(index: int) -> int:
    """Return the number of a colour that is not the random policy's."""
    return index if index < _GREY else index + 1


def _figure(title: str, key: str, y_label: str, lines: Sequence[Series], x: Sequence[float], note: str = "") -> Curve:
    by_ratio = x[0] > 0 and _spacing([math.log(value) for value in x]) > _spacing(x)
    return Curve(title, key, y_label, lines, note, x_ticks=x, x_log=by_ratio)


def _spacing(x: Sequence[float]) -> float:
    """Return how far apart the nearest two of ascending places are, as a share of the axis."""
    return min(right - left for left, right in pairwise(x)) / (x[-1] - x[0])


def _dream_and_reality(rows: SweepRows) -> list[Curve]:
    """Return the scatter of all runs that dreamt, in the colour of their configuration where there are few."""
    dreamers = [(row, [run for run in row.runs if run.promised is not None]) for row in rows.configurations]
    dreamers = [(row, runs) for row, runs in dreamers if runs]
    every = [run for _, runs in dreamers for run in runs]
    if len(every) < 2:
        return []
    dreamt = [run for run in rows.runs if run.promised is not None]  # an agent scored twice is one training run
    if len(dreamers) >= LINES:
        dreamers = [(dreamers[0][0], every)]
        names = ["one training run"]
    else:
        names = [", ".join(row.values.values()) or "one training run" for row, _ in dreamers]
    series = [
        Series(name, [r.promised or 0.0 for r in runs], [r.paid for r in runs], marks="dots", colour=_colour(index))
        for index, (name, (_, runs)) in enumerate(zip(names, dreamers, strict=True))
    ]
    unit = " per 100 steps" if rows.paced else ""
    title = "Dream against reality, every training run"
    return [Curve(title, f"return in the dream{unit}", f"return awake{unit}", series, _agreement(dreamt))]


def _agreement(runs: Sequence[TrainingRun]) -> str:
    rank = rank_correlation([run.promised or 0.0 for run in runs], [run.paid for run in runs])
    if rank is None:
        return f"No rank correlation: {len(runs)} runs, or no spread among them."
    few = " So few say little." if len(runs) < 10 else ""
    return (
        f"Spearman's rank correlation {number(rank, 2)} over {len(runs)} training runs: 1 where dreams rank drivers "
        f"as reality does, 0 where they say nothing of it, below where they mislead.{few}"
    )
