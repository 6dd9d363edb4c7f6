"""What a list of returns says: its summary, how far two lists lie apart, and what other training runs would reach.

In: returns of independent episodes, or means of independent training runs. Out: plain numbers for scoreboards and
tables. Welch's interval is over episodes: closed form, hence the same for the same input, and sound for two samples of
unequal spread; where both drove the same seeds, Student's is, of their differences. What another training run would
reach, neither can say. The bootstrap's is over training runs.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEAST_RUNS = 5
"""Fewer training runs than this have no interval."""

NODES, WEIGHTS = np.polynomial.legendre.leggauss(64)


@dataclass(frozen=True)
class Summary:
    """Of n returns: the mean, the sample standard deviation (None for n = 1), median, worst and best."""

    n: int
    mean: float
    std: float | None
    median: float
    worst: float
    best: float


@dataclass(frozen=True)
class Difference:
    """A difference of two means with its interval [low, high] at the stated confidence (0-1)."""

    mean: float
    low: float
    high: float
    confidence: float


@dataclass(frozen=True)
class Interval:
    """From `low` to `high`, both within."""

    low: float
    high: float


def summarise(returns: Sequence[float]) -> Summary:
    """Summarise returns (n >= 1). The standard deviation divides by n - 1."""
    values = np.asarray(returns, float)
    return Summary(
        n=len(values),
        mean=float(values.mean()),
        std=float(values.std(ddof=1)) if len(values) > 1 else None,
        median=float(np.median(values)),
        worst=float(values.min()),
        best=float(values.max()),
    )


def student_probability(t: float, degrees: float) -> float:
    """P(|T| <= t) of Student's t, for t >= 0 and degrees >= 1 (need not be whole).

    With T = sqrt(degrees)·tan(angle) the density becomes a cosine power, smooth on a short interval,
    which 64 Gauss-Legendre nodes integrate to 1e-9 or better up to 1e6 degrees.
    """
    limit = math.atan(t / math.sqrt(degrees))
    angles = limit * (NODES + 1) / 2
    area = limit / 2 * float(np.sum(WEIGHTS * np.cos(angles) ** (degrees - 1)))
    log_total = math.log(math.pi) / 2 + math.lgamma(degrees / 2) - math.lgamma((degrees + 1) / 2) - math.log(2)
    return area / math.exp(log_total)


def student_quantile(confidence: float, degrees: float) -> float:
    """Return t with P(|T| <= t) = confidence, for 0 < confidence < 1 and degrees >= 1."""
    if not 0 < confidence < 1 or degrees < 1:
        raise ValueError(f"confidence in (0, 1) and degrees >= 1, got {confidence} and {degrees}")
    low, high = 0.0, 1.0
    while student_probability(high, degrees) < confidence:
        low, high = high, 2 * high
    for _ in range(60):  # halvings: past the last bit of a float
        middle = (low + high) / 2
        low, high = (middle, high) if student_probability(middle, degrees) < confidence else (low, middle)
    return (low + high) / 2


def mean_difference(ours: Sequence[float], theirs: Sequence[float], *, confidence: float = 0.95) -> Difference | None:
    """Welch's interval of mean(ours) - mean(theirs), unpaired; None where either has fewer than two returns.

    On shared seeds the two samples usually rise and fall together; leaving the pairing out then makes the
    interval wider, never narrower. Without any spread in either sample the interval is the difference itself.
    """
    a, b = np.asarray(ours, float), np.asarray(theirs, float)
    if len(a) < 2 or len(b) < 2:
        return None
    mean = float(a.mean() - b.mean())
    square_a, square_b = float(a.var(ddof=1)) / len(a), float(b.var(ddof=1)) / len(b)
    if square_a + square_b == 0.0:
        return Difference(mean=mean, low=mean, high=mean, confidence=confidence)
    # as shares of their sum, so that neither tiny nor huge returns under- or overflow
    share_a, share_b = square_a / (square_a + square_b), square_b / (square_a + square_b)
    degrees = 1 / (share_a**2 / (len(a) - 1) + share_b**2 / (len(b) - 1))
    half = student_quantile(confidence, max(degrees, 1.0)) * math.sqrt(square_a + square_b)
    return Difference(mean=mean, low=mean - half, high=mean + half, confidence=confidence)


def paired_difference(ours: Sequence[float], theirs: Sequence[float], *, confidence: float = 0.95) -> Difference | None:
    """Student's interval of the mean of ours - theirs, episode by episode; None for fewer than two episodes.

    For returns of the same seeds in the same order: what makes an episode hard for both cancels out.
    """
    apart = np.asarray(ours, float) - np.asarray(theirs, float)
    if len(apart) < 2:
        return None
    mean = float(apart.mean())
    half = student_quantile(confidence, len(apart) - 1) * float(apart.std(ddof=1)) / math.sqrt(len(apart))
    return Difference(mean=mean, low=mean - half, high=mean + half, confidence=confidence)


def promises_too_much(dream: Sequence[float], reality: Sequence[float]) -> bool:
    """Whether the dream promises much more than reality pays.

    That is: at least a fifth of the promised mean is not paid, and chance over episodes does not explain
    it (the 95 % interval of dream - reality lies above zero, where there is one).
    """
    promise, gap = float(np.mean(dream)), float(np.mean(dream) - np.mean(reality))
    interval = mean_difference(dream, reality)
    return gap > 0 and gap >= abs(promise) / 5 and (interval is None or interval.low > 0)


def percentile_interval(
    values: Sequence[float], generator: np.random.Generator, *, confidence: float, resamples: int = 20_000
) -> Interval:
    """Bootstrap the mean of the values (n >= 1): the middle `confidence` of the means of so many resamples."""
    sample = np.asarray(values, float)
    means = sample[generator.integers(len(sample), size=(resamples, len(sample)))].mean(1)
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(low), float(high))


def interval_over_runs(values: Sequence[float], generator: np.random.Generator) -> Interval | None:
    """Return the 95 % interval of the mean of training runs by bootstrap; None for fewer than five.

    A percentile interval of few values is too short, by 1 / sqrt(n) and by the normal's tails for Student's. So its
    level is raised to what makes up for both (Hesterberg 2015, "expanded percentile"): 99.8 % for five runs, 95.8 % for
    fifty. How often either holds the true mean was measured: docs/dependencies.md.
    """
    n = len(values)
    if n < LEAST_RUNS:
        return None
    wide = math.sqrt(n / (n - 1)) * student_quantile(0.95, n - 1)
    return percentile_interval(values, generator, confidence=math.erf(wide / math.sqrt(2)))


def rank_correlation(x: Sequence[float], y: Sequence[float]) -> float | None:
    """Return Spearman's rank correlation, ties sharing their mean rank; None below three points or without spread."""
    if len(x) < 3 or len(set(x)) < 2 or len(set(y)) < 2:
        return None
    first, second = (np.searchsorted(np.sort(v), v, "left") + np.searchsorted(np.sort(v), v, "right") for v in (x, y))
    return float(np.corrcoef(first, second)[0, 1])
