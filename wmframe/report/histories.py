"""Stages' histories as the page's curves: losses of V and M, fitness of C, and what its drivers earned awake.

Paths of history files and collections' mean returns come in; `Curve`s go out. A stage that has no figures of its own
here has one for every metric that it logs. Called by `gather`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from wmframe.engine.tracking.history import Row, read
from wmframe.report.contents import Curve, Series


@dataclass(frozen=True)
class _Figure:
    """What one figure shows: which metrics, called what, of which stage; `spreads` names the metric that is the
    standard deviation around another.
    """

    stage: str
    title: str
    y_label: str
    metrics: Mapping[str, str]
    note: str = ""
    spreads: Mapping[str, str] = field(default_factory=dict)
    x_label: str = "steps"


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
        "memory",
        "M: value",
        "squared error of the scaled value",
        {"value_error": "fitted on", "held_out_value_error": "held-out episodes"},
    ),
    _Figure(
        "controller",
        "C: fitness",
        "return in the world it is searched in",
        {
            "fitness_mean": "population's mean",
            "fitness_best": "population's best (lucky)",
            "select_return": "distribution mean on select seeds",
            "start_return": "what it began with, on the same seeds",
        },
        "Band: the population's standard deviation. The best of a generation is its luckiest sample and is never "
        "returned.",
        {"fitness_mean": "fitness_std"},
        "generations",
    ),
    _Figure(
        "controller",
        "C: climbing by gradient",
        "return in the dream it climbs in",
        {
            "dreamt_return": "mean, new dreams for every update",
            "dreamt_worth": "what those are worth to it (search.risk_tolerance, search.value_weight)",
            "climbed_return": "on select seeds",
        },
        x_label="updates",
    ),
)

_TOLD: Final = frozenset({*(figure.stage for figure in _FIGURES), "select", "evaluate"})
"""Stages whose rows the page tells in its own way: their figures above, or the scoreboard and `trials_by_round`."""


def curves(histories: Mapping[str, Path]) -> list[Curve]:
    """Return every figure that the histories (by graph name, rounds in order) have numbers for."""
    rows: dict[str, list[Row]] = {}
    rounds: Counter[str] = Counter()
    for name, path in histories.items():
        stage = name.partition(".")[0]
        earlier = rows.setdefault(stage, [])
        begun = earlier[-1]["step"] if earlier else 0
        new = read(path) if path.is_file() else []
        earlier += [{**row, "step": begun + row["step"]} for row in new]
        rounds[stage] += bool(new)
    found = []
    for figure in _FIGURES:
        if series := _series(figure, rows.get(figure.stage, [])):
            several = f"{rounds[figure.stage]} rounds end to end." if rounds[figure.stage] > 1 else ""
            note = f"{figure.note} {several}".strip()
            found.append(Curve(figure.title, figure.x_label, figure.y_label, series, note))
    return found + [curve for stage, logged in rows.items() if stage not in _TOLD for curve in _plain(stage, logged)]


def _plain(name: str, rows: Sequence[Row]) -> list[Curve]:
    """Return a curve for every metric of a stage that has no figures of its own, if there is more than one row."""
    found = []
    for metric in dict.fromkeys(metric for row in rows for metric in row if metric != "step"):
        stage, _, quantity = metric.partition("/")
        figure = _Figure(stage, f"{name}: {quantity.replace('_', ' ')}", quantity, {quantity: quantity})
        if len(rows) > 1:
            found.append(Curve(figure.title, figure.x_label, figure.y_label, _series(figure, rows)))
    return found


def trials_by_round(earned: Mapping[str, Mapping[str, float]], chosen: int) -> list[Curve]:
    """Return what every round's driver earned on its trial, by round and world: one figure, or none.

    JSON's keys come sorted as text, round 10 before round 2.
    """
    rounds = sorted(int(number) for number in earned)
    series = [
        Series(label, rounds, [earned[str(number)][world] for number in rounds])
        for world, label in (("reality", "awake, whole episodes"), ("dream", "in its dream"))
        if earned and all(world in means for means in earned.values())
    ]
    note = f"Mean returns on select seeds, the same for all rounds. The agent is round {chosen}'s driver."
    return [Curve("C: awake and dreaming, round by round", "round", "mean return", series, note)] if series else []


def awake_by_round(earned: Sequence[Mapping[str, float]]) -> list[Curve]:
    """Return how the drivers of rounds 1, 2, … fared when they went to collect: one figure, or none.

    `earned` has a mean return by policy for each collection, the first round's included.
    """
    points: dict[str, list[tuple[int, float]]] = {}
    for number, policies in enumerate(earned):
        for policy, mean in policies.items():
            if policy.startswith("driver_"):
                points.setdefault(policy, []).append((number, mean))
    series = [
        Series(_spoken(policy), [number for number, _ in line], [mean for _, mean in line])
        for policy, line in points.items()
        if len(line) > 1
    ]
    note = "What each round's driver but the last earned when it went to collect; those episodes may be cut short."
    return [Curve("C: awake, round by round", "round", "mean return", series, note)] if series else []


def _spoken(policy: str) -> str:
    kind, _, epsilon = policy.removeprefix("driver_").partition("_")
    return ("as it is" if kind == "mean" else "perturbed") + ("" if epsilon == "0" else f", exploring with ε {epsilon}")


def _series(figure: _Figure, rows: Sequence[Row]) -> list[Series]:
    series = []
    for metric, label in figure.metrics.items():
        y, spread = (f"{figure.stage}/{name}" for name in (metric, figure.spreads.get(metric, "")))
        points = [(row["step"], row[y], row.get(spread)) for row in rows if y in row]
        if points:
            steps, values, spreads = zip(*points, strict=True)
            band = () if None in spreads else _band(values, spreads)
            series.append(Series(label, steps, values, *band))
    return series


def _band(values: Sequence[float], spreads: Sequence[float]) -> tuple[list[float], list[float]]:
    pairs = list(zip(values, spreads, strict=True))
    return [value - spread for value, spread in pairs], [value + spread for value, spread in pairs]
