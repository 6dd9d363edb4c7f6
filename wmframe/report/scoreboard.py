"""The scoreboard as lines of text, for the terminal. Returns per world come in; lines go out, aligned in a board."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from wmframe.report.statistics import mean_difference, paired_difference, summarise

LABELS: Final = {
    "reality": "driver, awake",
    "dream": "driver, dreaming",
    "random": "random policy",
}
"""What people read for each world that is scored, in the order of the board."""


def lines(scores: Mapping[str, Mapping[str, Sequence[Any]]]) -> list[str]:
    """Return a line per score, and how far the driver is above the random policy."""
    board = []
    for name, label in LABELS.items():
        if name not in scores:
            continue
        found = summarise(scores[name]["returns"])
        steps = sum(scores[name]["lengths"]) / len(scores[name]["lengths"])
        spread = "" if found.std is None else f"  std {found.std:8.1f}"
        board.append(
            f"{label:<18} mean {found.mean:8.1f}{spread}  median {found.median:8.1f}  worst {found.worst:8.1f}"
            f"  best {found.best:8.1f}  n {found.n}  ({steps:.0f} steps)"
        )
    apart = None
    if {"reality", "random"} <= scores.keys():
        apart = mean_difference(scores["reality"]["returns"], scores["random"]["returns"])
    if apart is not None:
        board.append(
            f"awake - random     {apart.mean:+.1f}, 95 % interval over episodes [{apart.low:.1f}, {apart.high:.1f}]; "
            "no interval over training runs, n = 1"
        )
    return board


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
