"""Batches of recorded windows for M, each a pure function of (seed, step). Called by the memory stage.

Legend: B batch, T the window's steps, Z latent, A action.
"""

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from wmframe.data.emphasis import EVENLY, Emphasis
from wmframe.data.latents import EncodedEpisodes, EpisodeRef, LatentData

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Steps = npt.NDArray[np.int64]


class Window(NamedTuple):
    """A batch of recorded windows (a named tuple, because Lightning moves those to the device).

    mu, logvar (B, T + 1, Z); actions (B, T, A); rewards, done, mask, ahead, ahead_mask (B, T); all float32.
    `memory.contract.Sequences` says what they are.
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

    An episode of s steps has s + L - 1 windows of L = `length` steps: those that stick out of it are moved inside, so
    that hardly anything is padding, and its first and last steps, where true ends are, are not left out. All windows
    are equally likely but for `emphasis`. A step that n of them show counts L / n (`mask`): over many batches every
    step, and every true end, counts as often as it was recorded.

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
            yield self._window([(episode, self._first(episode, rng)) for episode in chosen])

    def _first(self, episode: EpisodeRef, rng: np.random.Generator) -> int:
        """Draw one of an episode's windows, and return its first step once it is moved inside."""
        drawn = int(rng.integers(1 - self._length, episode.steps))
        return min(max(drawn, 0), max(episode.steps - self._length, 0))

    def _window(self, places: Sequence[tuple[EpisodeRef, int]]) -> Window:
        parts = self._blank(len(places))
        for row, (episode, first) in enumerate(places):
            self._fill([part[row] for part in parts], episode, first)
        return Window(*map(torch.from_numpy, parts))

    def _blank(self, rows: int) -> list[Floats]:
        """Return zeros for all parts of a `Window`: what no episode fills is its padding."""
        latents, actions = (array.shape[1] for array in (self._data.folders[0].mu, self._data.folders[0].actions))
        steps, frames = (rows, self._length), (rows, self._length + 1)
        return [np.zeros(shape, np.float32) for shape in (*[(*frames, latents)] * 2, (*steps, actions), *[steps] * 5)]

    def _fill(self, parts: Sequence[Floats], episode: EpisodeRef, first: int) -> None:
        """Write an episode's steps from `first` on into one row of all parts."""
        mu, logvar, actions, rewards, done, mask, ahead, ahead_mask = parts
        count = min(self._length, episode.steps - first)
        data, begin = self._data.folders[episode.folder], episode.start + first
        frames, steps = slice(begin, begin + count + 1), slice(begin, begin + count)
        mu[: count + 1], logvar[: count + 1] = data.mu[frames], data.logvar[frames]
        actions[:count], rewards[:count], done[:count] = data.actions[steps], data.rewards[steps], data.done[steps]
        counts = _counts(episode.steps, self._length)[first : first + count]
        paid, known = self._ahead(data, episode, first, first + count)
        mask[:count], ahead[:count], ahead_mask[:count] = counts, paid, counts * known

    def _ahead(self, data: EncodedEpisodes, episode: EpisodeRef, first: int, stop: int) -> tuple[Numbers, Flags]:
        """Return what the next `value_steps` steps after each one paid, and whether that much is known of them.

        Known is what the time limit leaves that many steps for, however the episode ended: to count the steps near the
        limit only of episodes that truly ended would choose them by their outcome.
        """
        over = episode.start + episode.steps
        later = data.rewards[episode.start + first + 1 : min(episode.start + stop + self._value_steps, over)]
        paid = np.zeros(len(later) + 1)
        # `clip`, whose own overhead is more than the work on so few numbers.
        np.minimum(np.maximum(later, -self._clip), self._clip).cumsum(dtype=np.float64, out=paid[1:])
        ended = data.done[over - 1] > 0
        end = np.arange(stop - first) + self._value_steps
        known = first + end < (episode.limit if ended else episode.steps)
        return paid[np.minimum(end, len(later))] - paid[: stop - first], known


@lru_cache(maxsize=1024)
def _counts(steps: int, length: int) -> Numbers:
    """Return how much each step of an episode of so many `steps` counts in a window that shows it."""
    return length / windows_showing(np.arange(steps), steps, length)


def windows_showing(step: Steps, steps: int, length: int) -> Steps:
    """Return how many of the windows of an episode of so many `steps` show each `step` (numbers from 0).

    One begins at every step from 0 to `steps` - `length`. At the first of these begin also the `length` - 1 that stuck
    out before the episode, at the last those that stuck out behind it.
    """
    last = max(steps - length, 0)
    begun: Steps = np.minimum(step, last) - np.maximum(step - length + 1, 0) + 1
    begun += (length - 1) * (step < length) + (steps - last - 1) * (step >= last)
    return begun
