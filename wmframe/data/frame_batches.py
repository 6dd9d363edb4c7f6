"""Batches of frames for V, in an order that is a pure function of (seed, step).

Whole compressed chunks are drawn into a pool, its frames are shuffled and dealt as batches; so memory holds one pool
whatever the data's size, and a resumed fit sees exactly what an uninterrupted one would. Called by the vision stage.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from wmframe.data.episodes import EpisodeReader

Chunk = tuple[int, int, int]
"""Episode, first frame, last frame + 1."""

POOL_CHUNKS: Final = 256
"""8,192 frames, 100 MB."""


class FrameBatches(IterableDataset[Tensor]):
    """Yields uint8 frames (B, H, W, channels) for steps start … stop of a fit; without replacement within an epoch.

    A data set smaller than one batch is drawn from with replacement. Frames of later rounds stand in an epoch as often
    as it takes for them to be about `later_share` of it, and at least once.
    """

    def __init__(
        self,
        reader: EpisodeReader,
        episodes: Sequence[int],
        *,
        batch_size: int,
        seed: int,
        start: int,
        stop: int,
        later_share: float = 0.0,
    ) -> None:
        self._reader, self._chunks = reader, _weighed(reader, list(reader.chunks(episodes)), later_share)
        self._batch_size, self._seed, self._start, self._stop = batch_size, seed, start, stop

    def __iter__(self) -> Iterator[Tensor]:
        """Deal the batches."""
        step, epoch = 0, 0
        while step < self._stop:
            for pool in self._pools(epoch):
                batches = max(_frames(pool) // self._batch_size, 1)
                if step + batches > self._start:
                    yield from self._deal(pool, (epoch, step), max(self._start - step, 0), self._stop - step)
                step += batches
                if step >= self._stop:
                    return
            epoch += 1

    def _pools(self, epoch: int) -> list[list[Chunk]]:
        """Draw an epoch's pools; what is left over and too small for a batch joins the last one."""
        order = np.random.default_rng((self._seed, epoch)).permutation(len(self._chunks))
        pools: list[list[Chunk]] = [[]]
        for i in order:
            if len(pools[-1]) >= POOL_CHUNKS and _frames(pools[-1]) >= self._batch_size:
                pools.append([])
            pools[-1].append(self._chunks[i])
        if len(pools) > 1 and _frames(pools[-1]) < self._batch_size:
            rest = pools.pop()
            pools[-1] += rest
        return pools

    def _deal(self, pool: list[Chunk], at: tuple[int, int], skip: int, most: int) -> Iterator[Tensor]:
        frames = np.concatenate([self._reader.frames(*chunk) for chunk in sorted(pool)])
        rng = np.random.default_rng((self._seed, *at, 1))
        if len(frames) < self._batch_size:
            order = rng.integers(len(frames), size=self._batch_size)
        else:
            order = rng.permutation(len(frames))
        for batch in range(skip, min(max(len(frames) // self._batch_size, 1), most)):
            rows = order[batch * self._batch_size : (batch + 1) * self._batch_size]
            yield torch.from_numpy(frames[np.sort(rows)])


def _weighed(reader: EpisodeReader, chunks: list[Chunk], later_share: float) -> list[Chunk]:
    later = [chunk for chunk in chunks if reader.later[chunk[0]]]
    early = [chunk for chunk in chunks if not reader.later[chunk[0]]]
    if not later or not early:
        return chunks
    if later_share == 1:
        return later
    wanted = later_share / (1 - later_share) * _frames(early)
    return [*early, *later * max(round(wanted / _frames(later)), 1)]


def _frames(pool: Sequence[Chunk]) -> int:
    return sum(stop - begin for _, begin, stop in pool)
