"""The scoreboard as lines of text, for the terminal. A run's record comes in; lines go out, aligned in a board."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from wmframe.engine.runs.runs import RunRecord
from wmframe.report.statistics import mean_difference, paired_difference, summarise

LABELS: Final = {
    "reality": "driver, awake",
    "dream": "driver, dreaming",
    "random": "random policy",
}
"""What people read for each world that is scored, in the order of the board; any other score is read by its name."""

_FEW: Final = 3
"""Numbers that stand beside a run's name in a list."""


def in_order(names: Iterable[str]) -> list[str]:
    """Return names of scores and metrics as they stand on a board: those that it has labels for come first."""
    there = list(names)
    return [*(name for name in LABELS if name in there), *(name for name in there if name not in LABELS)]


def board(record: RunRecord) -> list[str]:
    """Return all that a run came to: a line per score, and one per metric."""
    return [*lines(record.scores), *(f"{name:<32} {value:.6g}" for name, value in record.metrics.items())]


def brief(record: RunRecord) -> list[str]:
    """Return all that a run came to in a few words each, scores by their means: "reality 412.3", "fit/error 0.0213"."""
    found = record.quantities
    return [f"{name} {found[name]:{'.1f' if name in record.scores else '.4g'}}" for name in in_order(found)]


def headline(record: RunRecord) -> str:
    """Return what stands beside a run in a list: its score awake, else the first of what it came to."""
    awake = record.quantities.get("reality")
    return "  ".join(brief(record)[:_FEW]) if awake is None else f"awake {awake:.1f}"


def lines(scores: Mapping[str, Mapping[str, Sequence[Any]]]) -> list[str]:
    """Return a line per score, and how far the driver is above the random policy."""
    told = []
    for name in in_order(scores):
        label = LABELS.get(name, name)
        found = summarise(scores[name]["returns"])
        steps = sum(scores[name]["lengths"]) / len(scores[name]["lengths"])
        spread = "" if found.std is None else f"  std {found.std:8.1f}"
        told.append(
            f"{label:<18} mean {found.mean:8.1f}{spread}  median {found.median:8.1f}  worst {found.worst:8.1f}"
            f"  best {found.best:8.1f}  n {found.n}  ({steps:.0f} steps)"
        )
    apart = None
    if {"reality", "random"} <= scores.keys():
        apart = mean_difference(scores["reality"]["returns"], scores["random"]["returns"])
    if apart is not None:
        told.append(
            f"awake - random     {apart.mean:+.1f}, 95 % interval over episodes [{apart.low:.1f}, {apart.high:.1f}]; "
            "no interval over training runs, n = 1"
        )
    return told


def against(first: str, theirs: Sequence[float], other: str, ours: Sequence[float]) -> str:
    """Return a line on how far a driver's returns are above the first driver's, of the same seeds in the same order."""
    higher = sum(our > their for our, their in zip(ours, theirs, strict=True))
    lower = sum(our < their for our, their in zip(ours, theirs, strict=True))
    line = f"{other} - {first}: higher in {higher} of {len(ours)} episodes, lower in {lower}"
    apart = paired_difference(ours, theirs)
    if apart is None:
        return line
    return (
        f"{line}; {apart.mean:+.1f} on average, 95 % interval over episodes, paired by seed, "
        f"[{apart.low:.1f}, {apart.high:.1f}]; no interval over training runs, n = 1 each"
    )


def mean_std_n(world: str, score: Mapping[str, Sequence[Any]]) -> str:
    """Return one line that a script can read: `reality mean=412.3 std=180.2 n=40`."""
    found = summarise(score["returns"])
    return f"{world} mean={found.mean:.3f} std={0.0 if found.std is None else found.std:.3f} n={found.n}"
