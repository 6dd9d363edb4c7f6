"""Stages' histories as the page's curves: losses of V and M, fitness of C.

Paths of history files come in by graph name; `Curve`s go out. Called by `gather`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wmframe.report.contents import Curve, Series
from wmframe.tracking.history import Row, read


@dataclass(frozen=True)
class _Figure:
    """What one figure shows: which metrics, called what, of which stage."""

    stage: str
    title: str
    y_label: str
    metrics: Mapping[str, str]
    note: str = ""


_FIGURES: Final = (
    _Figure(
        "vision",
        "V: reconstruction",
        "squared error per frame",
        {"squared_error": "fitted on", "held_out_squared_error": "held-out episodes"},
        "Pixels lie in [0, 1]; the error is summed over a frame's 12,288 of them.",
    ),
    _Figure("vision", "V: divergence", "nats per frame", {"kl": "fitted on", "held_out_kl": "held-out episodes"}),
    _Figure(
        "memory",
        "M: next latent",
        "NLL, nats per latent dimension",
        {"nll": "fitted on", "held_out_nll": "held-out episodes"},
        "A negative NLL is no fault: it is that of a density, which exceeds 1 where the spread is small.",
    ),
    _Figure(
        "memory",
        "M: reward",
        "squared error of the scaled reward",
        {"reward_error": "fitted on", "held_out_reward_error": "held-out episodes"},
    ),
    _Figure(
        "memory", "M: done", "logistic loss", {"done_loss": "fitted on", "held_out_done_loss": "held-out episodes"}
    ),
    _Figure(
        "controller",
        "C: fitness",
        "return in the world it is searched in",
        {
            "fitness_mean": "population's mean",
            "fitness_best": "population's best (lucky)",
            "select_return": "distribution mean on select seeds",
        },
        "The best of a generation is its luckiest sample and is never returned.",
    ),
)


def curves(histories: Mapping[str, Path]) -> list[Curve]:
    """Return every figure that the histories have numbers for, round by round."""
    found = []
    for name, path in histories.items():
        stage, _, number = name.partition(".")
        rows = read(path) if path.is_file() else []
        for figure in _FIGURES:
            if figure.stage == stage and (series := _series(figure, rows)):
                title = figure.title if number in {"", "1"} else f"{figure.title}, round {number}"
                x_label = "generations" if stage == "controller" else "steps"
                found.append(Curve(title, x_label, figure.y_label, series, figure.note))
    return found


def _series(figure: _Figure, rows: Sequence[Row]) -> list[Series]:
    series = []
    for metric, label in figure.metrics.items():
        name = f"{figure.stage}/{metric}"
        points = [(row["step"], row[name]) for row in rows if name in row]
        if points:
            series.append(Series(label, [step for step, _ in points], [value for _, value in points]))
    return series
