"""Batches of recorded windows for M, each a pure function of (seed, step). Called by the memory stage.

Legend: B batch, T the window's steps, Z latent, A action.
"""

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

    Every step of an episode, its first and last included, is about as likely to fall into a window; how likely an
    episode is, `emphasis` says. `value_steps` is how many steps `ahead` looks.
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
    ) -> None:
        self._data, self._length, self._value_steps = data, length, value_steps
        self._seed, self._start, self._stop = seed, start, stop
        self._groups = emphasis.split([data.episodes[number] for number in episodes], batch_size)

    def __iter__(self) -> Iterator[Window]:
        """Draw the batches."""
        for step in range(self._start, self._stop):
            rng = np.random.default_rng((self._seed, step))
            chosen = [episode for group in self._groups for episode in group.draw(rng)]
            yield self._window([(episode, self._offset(episode, rng)) for episode in chosen])

    def _offset(self, episode: EpisodeRef, rng: np.random.Generator) -> int:
        """Draw where a window begins.

        Beginnings before the episode and too near its end are drawn too, and moved inside: otherwise its last steps,
        where true ends are, would fall into hardly any window.
        """
        last = max(episode.steps - self._length, 0)
        return int(np.clip(rng.integers(1 - self._length, episode.steps), 0, last))

    def _window(self, places: Sequence[tuple[EpisodeRef, int]]) -> Window:
        rows = [self._rows(episode, offset) for episode, offset in places]
        return Window(*(torch.from_numpy(np.stack(part)) for part in zip(*rows, strict=True)))

    def _rows(self, episode: EpisodeRef, offset: int) -> list[npt.NDArray[np.float32]]:
        data, length = self._data.folders[episode.folder], self._length
        begin = episode.start + offset
        steps = min(length, episode.steps - offset)
        seen = [_padded(array[begin : begin + steps + 1], length + 1) for array in (data.mu, data.logvar)]
        done_ = [_padded(array[begin : begin + steps], length) for array in (data.actions, data.rewards, data.done)]
        ahead = self._ahead(data, begin, steps, episode.start + episode.steps)
        return [*seen, *done_, *(_padded(array, length) for array in (np.ones(steps, np.float32), *ahead))]

    def _ahead(self, data: EncodedEpisodes, begin: int, steps: int, over: int) -> tuple[Numbers, Flags]:
        """Return what the next `value_steps` steps after each one paid, and whether that much is known of them.

        The steps are rows begin … begin + steps of an episode whose steps end before row `over`.
        """
        later = data.rewards[begin + 1 : min(begin + steps + self._value_steps, over)]
        paid = np.concatenate(([0.0], np.cumsum(later, dtype=np.float64)))
        end = np.arange(steps) + self._value_steps
        known = (end <= len(later)) | (data.done[over - 1] > 0)
        return paid[np.minimum(end, len(later))] - paid[:steps], known


def _padded(rows: npt.NDArray[np.generic], length: int) -> npt.NDArray[np.float32]:
    full = np.zeros((length, *rows.shape[1:]), np.float32)
    full[: len(rows)] = rows
    return full
