"""Batches of recorded windows for M, each a pure function of (seed, step). Called by the memory stage.

Legend: B batch, T the window's steps, Z latent, A action.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from wmframe.data.emphasis import EVENLY, Emphasis
from wmframe.data.latents import EncodedEpisodes, EpisodeRef, LatentData

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class Window(NamedTuple):
    """A batch of recorded windows (a named tuple, because Lightning moves those to the device).

    mu, logvar (B, T + 1, Z); actions (B, T, A); rewards, done, mask, ahead, ahead_mask (B, T); all float32.
    """

    mu: Tensor
    logvar: Tensor
    actions: Tensor
    rewards: Tensor
    done: Tensor
    mask: Tensor
    ahead: Tensor
    ahead_mask: Tensor


class Windows(IterableDataset[Window]):
    """Yields `Window`s for steps start … stop of a fit.

    A window may stick out of its episode at both ends; what sticks out is masked. An episode of s steps so has
    s + `length` - 1 windows, of which each step, the first and the last included, falls into `length`. All windows are
    equally likely but for `emphasis`, so M meets steps and true ends as often as they were recorded.

    `value_steps` is how many steps `ahead` looks, `reward_clip` what bounds each of their rewards, as it bounds those
    that M predicts.
    """

    def __init__(
        self,
        data: LatentData,
        episodes: Sequence[int],
        *,
        batch_size: int,
        length: int,
        seed: int,
        start: int,
        stop: int,
        emphasis: Emphasis = EVENLY,
        value_steps: int = 0,
        reward_clip: float = math.inf,
    ) -> None:
        self._data, self._length, self._value_steps, self._clip = data, length, value_steps, reward_clip
        self._seed, self._start, self._stop = seed, start, stop
        self._groups = emphasis.split(
            [data.episodes[number] for number in episodes],
            batch_size,
            places=lambda episode: episode.steps + length - 1,
        )

    def __iter__(self) -> Iterator[Window]:
        """Draw the batches."""
        for step in range(self._start, self._stop):
            rng = np.random.default_rng((self._seed, step))
            chosen = [episode for group in self._groups for episode in group.draw(rng)]
            yield self._window([(episode, int(rng.integers(1 - self._length, episode.steps))) for episode in chosen])

    def _window(self, places: Sequence[tuple[EpisodeRef, int]]) -> Window:
        rows = [
            self._rows(episode, max(first, 0), min(first + self._length, episode.steps)) for episode, first in places
        ]
        return Window(*(torch.from_numpy(np.stack(part)) for part in zip(*rows, strict=True)))

    def _rows(self, episode: EpisodeRef, first: int, stop: int) -> list[npt.NDArray[np.float32]]:
        """Return the steps first … stop of an episode, padded behind: M begins where the recording does."""
        data, length = self._data.folders[episode.folder], self._length
        begin, end = episode.start + first, episode.start + stop
        seen = [_padded(array[begin : end + 1], length + 1) for array in (data.mu, data.logvar)]
        done_ = [_padded(array[begin:end], length) for array in (data.actions, data.rewards, data.done)]
        ahead = self._ahead(data, episode, first, stop)
        return [*seen, *done_, *(_padded(array, length) for array in (np.ones(stop - first, np.float32), *ahead))]

    def _ahead(self, data: EncodedEpisodes, episode: EpisodeRef, first: int, stop: int) -> tuple[Numbers, Flags]:
        """Return what the next `value_steps` steps after each one paid, and whether that much is known of them.

        Known is what the time limit leaves that many steps for, however the episode ended: to count the steps near the
        limit only of episodes that truly ended would choose them by their outcome.
        """
        over = episode.start + episode.steps
        later = data.rewards[episode.start + first + 1 : min(episode.start + stop + self._value_steps, over)]
        paid = np.concatenate(([0.0], np.cumsum(later.clip(-self._clip, self._clip), dtype=np.float64)))
        ended = data.done[over - 1] > 0
        end = np.arange(stop - first) + self._value_steps
        known = first + end < (episode.limit if ended else episode.steps)
        return paid[np.minimum(end, len(later))] - paid[: stop - first], known


def _padded(rows: npt.NDArray[np.generic], length: int) -> npt.NDArray[np.float32]:
    full = np.zeros((length, *rows.shape[1:]), np.float32)
    full[: len(rows)] = rows
    return full
