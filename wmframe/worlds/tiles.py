"""What a lane computes must not depend on how many others there are, so rows are worked on in tiles of one size.

A row-wise function and its inputs come in, the joined results go out. A matrix product of another size, or of another
layout in memory, may round the same row otherwise; which ones do so differs between processors. Called by Reality for V
and M, for the states that dreams begin at, and by Driver for C. Legend: N rows.
"""

from collections.abc import Callable, Sequence
from typing import Final

import torch
from torch import Tensor

_TILE: Final = 16


def by_tiles(function: Callable[[Sequence[Tensor]], tuple[Tensor, ...]], inputs: Sequence[Tensor]) -> list[Tensor]:
    """Apply a row-wise function to inputs (N, ...) tile by tile, the last one padded, and join the results."""
    inputs = [each.contiguous() for each in inputs]
    rows = len(inputs[0])
    parts = []
    for at in range(0, rows, _TILE):
        tile = [each[at : at + _TILE] for each in inputs]
        missing = _TILE - len(tile[0])
        if missing:
            tile = [torch.cat((each, each.new_zeros(missing, *each.shape[1:]))) for each in tile]
        parts.append(function(tile))
    return [torch.cat(column)[:rows] for column in zip(*parts, strict=True)]
