"""Every episode as a dot on a line: the geometry of the scoreboard's strips, drawn by the page's template.

In: the scores. Out: one axis for all and one `Strip` each; x in per cent of the strip's width, so that a
strip is as wide as the screen allows, y in pixels of its height.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matplotlib.ticker import MaxNLocator

from wmframe.report.contents import Score
from wmframe.report.numbers import compact, number
from wmframe.report.statistics import Summary

HEIGHT = 44
MARGIN = 3.0  # per cent left free at both ends, so that the outermost dots are whole
BIN = 1.1  # per cent: dots nearer than this are stacked
STEP, REACH = 5, 15  # pixels: one stacked dot above the other, and the farthest one


@dataclass(frozen=True)
class Axis:
    """The common axis: where it starts and ends, and its ticks in units of the return."""

    low: float
    high: float
    ticks: Sequence[float]

    def place(self, value: float) -> float:
        """Return the x of a value, in per cent."""
        return round(MARGIN + (100 - 2 * MARGIN) * (value - self.low) / (self.high - self.low), 2)

    def marks(self) -> Sequence[tuple[float, str]]:
        """Return each tick as (x in per cent, its text)."""
        return [(self.place(tick), text) for tick, text in zip(self.ticks, compact(self.ticks), strict=True)]


@dataclass(frozen=True)
class Dot:
    """One episode: x in per cent, y in pixels, and what its tooltip says."""

    x: float
    y: int
    title: str


@dataclass(frozen=True)
class Strip:
    """A score's dots, its mean, and mean ± standard deviation (all x in per cent, kept on the strip)."""

    dots: Sequence[Dot]
    mean: float
    low: float
    high: float


def axis_for(returns: Iterable[float]) -> Axis:
    """Return a round axis that holds all returns (at least one)."""
    values = list(returns)
    low, high = min(values), max(values)
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-300):
        low, high = low - max(abs(low) / 2, 1.0), high + max(abs(high) / 2, 1.0)
    ticks = [float(tick) for tick in MaxNLocator(nbins=5).tick_values(low, high)]
    return Axis(low=ticks[0], high=ticks[-1], ticks=ticks)


def strip_for(score: Score, summary: Summary, axis: Axis, places: int) -> Strip:
    """Place the dots of one score; equal returns are stacked around the middle, in order."""
    taken: dict[int, int] = {}
    dots = []
    for index, value in enumerate(score.returns):
        x = axis.place(value)
        rank = taken[round(x / BIN)] = taken.get(round(x / BIN), -1) + 1
        offset = (rank + 1) // 2 * STEP * (1 if rank % 2 else -1)
        which = f"seed {score.seeds[index]}" if len(score.seeds) > 0 else f"episode {index + 1}"
        y = HEIGHT // 2 + max(-REACH, min(REACH, offset))
        dots.append(Dot(x=x, y=y, title=f"{which}: {number(value, places)}"))
    spread = summary.std if summary.std is not None else 0.0
    ends = (max(axis.low, summary.mean - spread), min(axis.high, summary.mean + spread))
    return Strip(dots=dots, mean=axis.place(summary.mean), low=axis.place(ends[0]), high=axis.place(ends[1]))
