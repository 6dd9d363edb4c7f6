"""Which recorded episodes are held out of fitting: the one place that decides it, by environment seed.

The environment seeds of collections' episodes come in; numbers of episodes go out. V's fit, M's fit and the sample that
an agent shows itself by all ask here, so what one holds out no other has fitted.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Final

HELD_OUT: Final = 0.1
"""The share of a collection's episodes that is kept out of fitting, to measure on, at the least."""


Split = tuple[list[int], list[int]]
"""The numbers of the episodes to fit on and of those held out."""


def split(collections: Sequence[Sequence[int]]) -> Split:
    """Return the numbers of the episodes to fit on and of those held out, counted over all collections in order.

    `collections` are the environment seeds of each collection's episodes, the oldest collection first. Episodes of one
    seed, that is of one track, are all on one side. Of each collection's new seeds, in the order of a hash, as many are
    held out as it takes for a tenth of their episodes; the first of all seeds is always fitted on. What is decided of a
    seed stays, so collections of later rounds change nothing for earlier ones. While there is a single seed, both sides
    are the same.
    """
    held_out: dict[int, bool] = {}
    for seeds in collections:
        new = Counter(seed for seed in seeds if seed not in held_out)
        held_out |= _decided(new, one_may_go=bool(held_out) and not any(held_out.values()))
    everyone = [seed for seeds in collections for seed in seeds]
    apart = [number for number, seed in enumerate(everyone) if held_out[seed]]
    if not apart:
        return list(range(len(everyone))), list(range(len(everyone)))
    return [number for number, seed in enumerate(everyone) if not held_out[seed]], apart


def _decided(episodes: Counter[int], *, one_may_go: bool) -> dict[int, bool]:
    """Say of each seed whether it is held out; `episodes` counts its episodes. A lone seed only if `one_may_go`."""
    wanted, held_out = HELD_OUT * episodes.total(), 0
    most = len(episodes) - (not one_may_go)
    decided: dict[int, bool] = {}
    for seed in sorted(episodes, key=_rank):
        decided[seed] = held_out < wanted and len(decided) < most
        held_out += episodes[seed] if decided[seed] else 0
    return decided


def _rank(seed: int) -> bytes:
    """Seeds may have an order of their own, by source or generation; their hashes have none."""
    return hashlib.sha256(str(seed).encode()).digest()
