"""Three disjoint streams of environment seeds: train, select, report.

Report seeds are small consecutive integers, the same for every run, so that scores are paired. The other two are
drawn from ranges of their own, so no seed can serve twice. Called by collection, search and the stages.
"""

import zlib
from collections.abc import Sequence
from typing import Final, Literal

import numpy as np

Stream = Literal["train", "select"]

REPORT_SEEDS: Final = range(1_000_000_000)
_RANGES: Final = {"train": range(1_000_000_000, 2_000_000_000), "select": range(2_000_000_000, 3_000_000_000)}


def draw_seeds(stream: Stream, path: Sequence[int | str], count: int) -> list[int]:
    """Return `count` seeds of a stream, a pure function of `path`: (run's seed, what for, generation, …)."""
    words = [zlib.crc32(part.encode()) if isinstance(part, str) else part for part in path]
    raw = np.random.SeedSequence([zlib.crc32(stream.encode()), len(words), *words]).generate_state(count, np.uint64)
    span = _RANGES[stream]
    return [span.start + int(value % len(span)) for value in raw]


def report_seeds(first: int, count: int) -> list[int]:
    """Return the report stream's seeds first … first + count - 1."""
    return list(REPORT_SEEDS[first : first + count])
