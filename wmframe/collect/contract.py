"""What a source of episodes must offer, and what it is given.

A source yields batches of episodes and is sent back what each earned, so an evolving one can learn from it. Because it
only ever sees returns, a killed collection resumes by sending the recorded ones again. Called by the collect stage.
Legend: B lanes, A action, D parameters.
"""

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from wmframe.data.seeds import draw_seeds
from wmframe.envs.batch import EnvBatch
from wmframe.worlds.contract import World
from wmframe.worlds.driver import Driver
from wmframe.worlds.rollout import Act

LANES = 64
"""Episodes played side by side, and recorded in one shard."""

Origin = Literal["random", "evolved", "dream-trained driver", "track-trained driver", "driver from elsewhere"]
"""What a data set says of itself: played at random, by a population evolving on real reward, by the last round's
driver, or by an agent that was finished before, of which nothing is claimed."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a source works with: the environments, A, the run's seed, the round (from 1), and who drives: the last
    round's driver, in the first an agent that was finished before, if any.

    `source` is the source's name in the config; two of a kind play different seeds.
    """

    source: str
    batch: EnvBatch
    action_size: int
    seed: int
    round: int
    driver: Driver | None

    def turns(self, episodes: int) -> Iterator[list[int]]:
        """Yield the environment seeds of so many episodes, of this source and round alone, `LANES` at a time."""
        seeds = draw_seeds("train", (self.seed, self.source, self.round), episodes)
        for at in range(0, episodes, LANES):
            yield seeds[at : at + LANES]


@dataclass(frozen=True, kw_only=True)
class EpisodeBatch:
    """Episodes to play: who acts on which seeds, and what to call each lane's policy.

    `world` is one that shows what happens (`Step.observed`): the environment as it is, or through somebody's eyes.
    """

    world: World
    act: Act
    seeds: Sequence[int]
    policies: Sequence[str]


Batches = Generator[EpisodeBatch, npt.NDArray[np.float64], None]
"""Yields batches; is sent their returns (B,)."""


class Source(ABC):
    """Where episodes come from. Concrete ones are frozen dataclasses, the schema of their YAML."""

    @abstractmethod
    def origin(self, setting: Setting) -> Origin:
        """Return what its episodes are to be called."""

    @abstractmethod
    def planned_steps(self, limit: int) -> int:
        """Return how many steps a round of it takes if every episode lasts as long as it may, `limit` at most."""

    @abstractmethod
    def batches(self, setting: Setting) -> Batches:
        """Yield the batches of a round. Must depend on nothing but the setting and the returns sent."""
