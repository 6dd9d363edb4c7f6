"""Numbers and durations as a person writes them. Called by every part of the page."""

import math
from collections.abc import Iterable, Sequence

MINUS = "\N{MINUS SIGN}"
# (from which size on, the unit, its letter): 2500 is as short as 2.5k
UNITS = ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k"))


def decimals(values: Iterable[float]) -> int:
    """Return how many decimals suit numbers of this size: 0 from 100 on, 1 from 10 on, else 2."""
    largest = max((abs(v) for v in values), default=0.0)
    return 0 if largest >= 100 else 1 if largest >= 10 else 2


def significant(values: Iterable[float], figures: int = 4) -> int:
    """Return how many decimals show the largest of numbers to so many figures, 12 at the most; whole ones need none."""
    shown = list(values)
    if all(value == round(value) for value in shown):
        return 0
    largest = max(map(abs, shown))
    return min(max(figures - 1 - math.floor(math.log10(largest)), 0), 12)


def number(value: float | None, places: int = 0) -> str:
    """Write a number with a true minus sign and never "-0"; a missing one as a dash."""
    if value is None:
        return "–"
    text = f"{value:.{places}f}"
    return (text if float(text) != 0 else text.lstrip("-")).replace("-", MINUS)


def signed(value: float, places: int = 0) -> str:
    """Write a number with its sign always: +12, −3, 0."""
    text = number(value, places)
    return f"+{text}" if float(text.replace(MINUS, "-")) > 0 else text


def compact(values: Sequence[float]) -> list[str]:
    """Write the numbers of one axis in few characters and one unit: 0, 5k, 10k; 0, 0.5M, 1M; 0, 250, 500."""
    largest = max((abs(value) for value in values), default=0.0)
    unit, letter = next(((unit, letter) for start, unit, letter in UNITS if largest >= start), (1.0, ""))
    texts = [f"{value / unit:.6g}" for value in values]
    return [text.replace("-", MINUS) + (letter if text != "0" else "") for text in texts]


def size(count: int) -> str:
    """Write an amount of bytes: 497 B, 328 kB, 1.2 GB."""
    thousands = min(len(str(count)) - 1, 12) // 3
    return f"{count / 1000**thousands:.3g} {('B', 'kB', 'MB', 'GB', 'TB')[thousands]}"


def duration(seconds: float | None) -> str:
    """Write a duration: 0.4 s, 12 s, 3 min 20 s, 2 h 5 min; unknown or not finite as a dash."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 > 0 else f"{whole // 60} min"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 > 0 else f"{minutes // 60} h"
