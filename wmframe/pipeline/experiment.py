"""The whole experiment's schema: what conf/config.yaml may hold. Binding reads it; nothing ever constructs it.

The groups' classes are named only as types, so that checking a config imports nothing heavy.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

if TYPE_CHECKING:
    from wmframe.collect.collection import Collection
    from wmframe.controller.contract import Controller
    from wmframe.envs.spec import EnvSpec
    from wmframe.memory.contract import Memory
    from wmframe.search.settings import Search, SearchSettings
    from wmframe.stages.evaluate import Evaluation
    from wmframe.stages.machine import Machine
    from wmframe.tracking.tracker import Tracker
    from wmframe.vision.contract import Vision
    from wmframe.worlds.settings import RealitySettings, WorldSettings


Budget = NonNegativeInt | Annotated[list[NonNegativeInt], MinLen(1)]
Spread = PositiveFloat | Annotated[list[PositiveFloat], MinLen(1)]


@dataclass(frozen=True, kw_only=True)
class LaterRounds:
    """What rounds 2, 3, … do with what the round before left (paper, section 5: the iterative procedure).

    `vision` is kept as it is or fitted again on all data; `memory` continues from its weights or is fitted again;
    `refit_rounds` names the rounds in which that happens (null: all later ones), and in the others both go on. Then
    what C's features mean is new, and it starts over; in all other rounds `controller` continues from its parameters or
    starts over. `later_share` of M's batches, of a refitted V's frames and of the dreams' starts comes from the data of
    rounds after the first; of M's batches and the starts, a round has `recency` times as much in it as the next (1: all
    later rounds alike). Where given, `memory_steps` is the budget of an M that continues; of a C that does,
    `generations` is it with the `sigma` that its search begins with, or `updates` with their `learning_rate`, by the
    kind of search. What begins afresh has the first round's of all these; `climbs` are a later round's either way. A
    list is dealt out to rounds 2, 3, …, its last to all further ones. Where the 15 steps before were paid less than
    `start_pay` each, on average, no dream starts: there a driver had lost the road, and C need not learn to find it.

    `chosen` is the round whose driver is scored and handed on: the "last", or the best "awake", by its mean return over
    `select_episodes` whole episodes on select seeds, the same for all rounds. A dream's return cannot choose: it rises
    while the real one falls when C has found a fault of M. With `trials` all rounds' drivers are tried so, even if the
    last is the chosen one: for the curve.
    """

    vision: Literal["keep", "refit"] = "keep"
    memory: Literal["continue", "refit"] = "continue"
    controller: Literal["continue", "restart"] = "continue"
    refit_rounds: list[Annotated[int, Ge(2)]] | None = None
    later_share: Annotated[float, Ge(0), Le(1)] = 0.5
    recency: Annotated[float, Gt(0), Le(1)] = 1.0
    memory_steps: Budget | None = None
    generations: Budget | None = None
    sigma: Spread | None = None
    updates: Budget | None = None
    learning_rate: Spread | None = None
    climbs: PositiveInt | Annotated[list[PositiveInt], MinLen(1)] | None = None
    start_pay: float | None = None
    trials: bool = False
    chosen: Literal["last", "awake"] = "last"
    select_episodes: Annotated[int, Gt(0), Le(100_000)] = 32


@dataclass(frozen=True, kw_only=True)
class LastRound:
    """What the last of several rounds does otherwise than `LaterRounds` say, where given: its C is to be the agent's.

    However many rounds there are, it is the last that has it.
    """

    memory_steps: NonNegativeInt | None = None
    generations: NonNegativeInt | None = None
    sigma: PositiveFloat | None = None
    updates: NonNegativeInt | None = None
    learning_rate: PositiveFloat | None = None
    climbs: PositiveInt | None = None
    start_pay: float | None = None


@dataclass(frozen=True, kw_only=True)
class Finish:
    """How the last round's C goes on awake: a population around it evolves on the real track, V and M as they are.

    Without rounds it is `first_driver`'s.
    """

    world: "RealitySettings"
    search: "Search"


@dataclass(frozen=True, kw_only=True)
class Paths:
    """Where things lie: `artefacts/` and `runs/` are folders of `root`, which is relative to the working directory."""

    root: str = "."


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One experiment: `rounds` of collect → vision → latents → memory → controller, a `finish`, a score.

    In round 1 `first_driver` drives, where a source of `collect.first` lets a driver drive: a run with an agent, or one
    that wmframe ships ("zoo/…"). Nothing else of it is handed on: V, M and C begin afresh. With `rounds` 0 nothing is
    recorded or fitted: its V and M are kept, and its C goes on from where it is, as `finish` says.
    """

    name: str
    seed: Annotated[int, Ge(0), Lt(2**32)]
    rounds: Annotated[int, Ge(0), Le(1000)]
    first_driver: str | None = None
    later_rounds: LaterRounds
    env: "EnvSpec"
    collect: "Collection"
    vision: "Vision"
    memory: "Memory"
    controller: "Controller"
    world: "WorldSettings"
    search: "SearchSettings"
    last_round: LastRound | None = None
    finish: Finish | None = None
    evaluate: "Evaluation"
    trainer: "Machine"
    tracker: "Tracker"
    paths: Paths
