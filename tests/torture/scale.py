"""How much of the torture runs: a sample of every kind in CI, all of it under WMFRAME_TORTURE=full (`make torture`)."""

import os
from collections.abc import Sequence
from typing import Final, TypeVar

Case = TypeVar("Case")

FULL: Final = os.environ.get("WMFRAME_TORTURE") == "full"


def cases(everything: Sequence[Case], sample: int) -> list[Case]:
    """Return all cases, or outside of `make torture` `sample` of them, spread evenly from the first to the last."""
    if FULL or sample >= len(everything):
        return list(everything)
    return [everything[index * (len(everything) - 1) // max(sample - 1, 1)] for index in range(sample)]


def times(full: int, sample: int) -> int:
    """Return how often something random is done: `full` times, or `sample` times outside of `make torture`."""
    return full if FULL else sample
