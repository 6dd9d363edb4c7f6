"""How much of what M and C learn from was recorded lately.

Episodes come in, groups of them with the chances at which to draw from each go out. Made by the memory and controller
stages; used where windows for M and starts for dreams are drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from wmframe.data.latents import EpisodeRef


@dataclass(frozen=True)
class Drawn:
    """`count` of these episodes are to be drawn, each as often as its weight in `weights` says (unnormalised)."""

    episodes: Sequence[EpisodeRef]
    weights: npt.NDArray[np.float64]
    count: int

    @property
    def chances(self) -> npt.NDArray[np.float64]:
        """The weights, with a sum of 1."""
        share: npt.NDArray[np.float64] = self.weights / self.weights.sum()
        return share


@dataclass(frozen=True, kw_only=True)
class Emphasis:
    """`later_share` (0 to 1) of what is drawn comes from rounds after the first, the rest from all rounds alike.

    Within that share a round's episodes are drawn `recency` times (above 0, at most 1) as often as the next round's:
    1 is all alike, less is more of what the newest drivers met.
    """

    later_share: float = 0.0
    recency: float = 1.0

    def split(self, episodes: Sequence[EpisodeRef], count: int, *, leave_out: int = 0) -> tuple[Drawn, Drawn]:
        """Say how many of `count` are drawn from all episodes and how many from later ones, or all if there are none.

        Episodes are drawn in proportion to their steps, less the `leave_out` that are not wanted of each.
        """
        later = [episode for episode in episodes if episode.later] or list(episodes)
        from_later = round(self.later_share * count)
        steps, later_steps = (
            np.array([episode.steps - leave_out for episode in group], np.float64) for group in (episodes, later)
        )
        newest = max(episode.folder for episode in later)
        age = np.array([newest - episode.folder for episode in later])
        return (
            Drawn(episodes, steps, count - from_later),
            Drawn(later, later_steps * self.recency**age, from_later),
        )


EVENLY: Final = Emphasis()
"""All recorded steps alike, whichever round they are of."""
