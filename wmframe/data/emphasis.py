"""How much of what M and C learn from was recorded lately.

Episodes come in, groups of them with the chances at which to draw from each go out. Made by the memory and controller
stages; used where windows for M and starts for dreams are drawn.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from wmframe.data.latents import EpisodeRef


@dataclass(frozen=True)
class Group:
    """Episodes of which `count` are to be drawn, each with its chance in `chances` (they sum to 1)."""

    episodes: Sequence[EpisodeRef]
    chances: npt.NDArray[np.float64]
    count: int

    def draw(self, rng: np.random.Generator) -> list[EpisodeRef]:
        """Draw them, with replacement."""
        return [self.episodes[i] for i in rng.choice(len(self.episodes), self.count, p=self.chances)]


@dataclass(frozen=True, kw_only=True)
class Emphasis:
    """`later_share` (0 to 1) of what is drawn comes from rounds after the first, the rest from all rounds alike.

    Within that share a round's episodes are drawn `recency` times (above 0, at most 1) as often as the next round's:
    1 is all alike, less is more of what the newest drivers met.
    """

    later_share: float = 0.0
    recency: float = 1.0

    @classmethod
    def of(cls, later_share: float | None, recency: float | None) -> "Emphasis":
        """Return what these settings say, None being what they are without one."""
        return cls(later_share=later_share or 0.0, recency=1.0 if recency is None else recency)

    def split(
        self, episodes: Sequence[EpisodeRef], count: int, *, places: Callable[[EpisodeRef], int] | None = None
    ) -> tuple[Group, Group]:
        """Say how many of `count` are drawn from all episodes and how many from later ones, or all if there are none.

        Episodes are drawn in proportion to their steps, or to how many `places` each has, of which some have any.
        """
        later = [episode for episode in episodes if episode.later] or list(episodes)
        from_later = round(self.later_share * count)
        newest = max(episode.folder for episode in later)

        def group(among: Sequence[EpisodeRef], recency: float, drawn: int) -> Group:
            sizes = np.array([places(episode) if places else episode.steps for episode in among], np.float64)
            weights = sizes * recency ** np.array([newest - episode.folder for episode in among])
            return Group(among, weights / weights.sum(), drawn)

        return group(episodes, 1.0, count - from_later), group(later, self.recency, from_later)


EVENLY: Final = Emphasis()
"""All recorded steps alike, whichever round they are of."""
