"""Two things timed by turns in one process, so that what else the machine does meets both alike.

Bursts of work come in, one `Row` of rates and ratios goes out. Called by every benchmark.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

Burst = Callable[[], float]
"""Does some work and returns how much, in the row's unit."""


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How often the two sides take turns, five times or more, and how many seconds a turn lasts at least."""

    turns: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Row:
    """One comparison: median rates of both sides, and the ratio of each turn."""

    name: str
    ours: float
    other: float
    unit: str
    against: str
    ratios: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """The median of the turns' ratios, ours over the other's."""
        return statistics.median(self.ratios)

    @property
    def spread(self) -> tuple[float, float]:
        """The least and the greatest ratio of a turn."""
        return min(self.ratios), max(self.ratios)

    def plain(self) -> dict[str, object]:
        """Return what `build/bench.json` keeps of it."""
        return {
            "name": self.name,
            "ours": self.ours,
            "other": self.other,
            "ratio": self.ratio,
            "spread": list(self.spread),
            "unit": self.unit,
            "against": self.against,
            "turns": len(self.ratios),
        }


def compare(name: str, ours: Burst, other: Burst, *, unit: str, against: str, effort: Effort) -> Row:
    """Time both by turns, after one turn that does not count; who begins changes from turn to turn."""
    rates: list[tuple[float, float]] = []
    for turn in range(effort.turns + 1):
        sides = (ours, other) if turn % 2 else (other, ours)
        first, second = (_rate(side, effort.seconds) for side in sides)
        rates.append((first, second) if turn % 2 else (second, first))
    rates = rates[1:]
    return Row(
        name=name,
        ours=statistics.median(rate for rate, _ in rates),
        other=statistics.median(rate for _, rate in rates),
        unit=unit,
        against=against,
        ratios=tuple(mine / its for mine, its in rates),
    )


def _rate(burst: Burst, least: float) -> float:
    done, begun = 0.0, time.perf_counter()
    while (spent := time.perf_counter() - begun) < least or done == 0.0:
        done += burst()
    return done / spent
