"""What the rounds of an experiment do: the schema of what later rounds do otherwise, and one `Round` of each.

The recipe asks for its rounds here. Nothing heavy is imported, and nothing here is ever in a key by itself: a stage's
key holds what it is given.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from annotated_types import Ge, Gt, Le, MinLen
from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from wmframe.engine.errors import UserError
from wmframe.engine.graph.recipe import Part, component, replaced

if TYPE_CHECKING:
    from wmframe.collect.collection import Collection
    from wmframe.memory.contract import Memory
    from wmframe.search.settings import Search, SearchSettings
    from wmframe.worlds.settings import RealitySettings


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
class Round:
    """One round, settled: what is fitted anew, what continues from the round before, and by which settings."""

    number: int
    collect: "Collection"
    memory: "Memory"
    search: "SearchSettings"
    fits_vision: bool
    continues_memory: bool
    continues_controller: bool
    later_share: float
    recency: float | None
    start_pay: float | None


_SEARCHED: Final = ("generations", "sigma", "updates", "learning_rate")
"""What `later_rounds` may say of a C that continues; each kind of search takes its own."""

_LISTS: Final = ("memory_steps", "climbs", *_SEARCHED)


def rounds_of(
    rounds: int,
    later: LaterRounds,
    last: LastRound | None,
    *,
    collect: "Collection",
    memory: "Memory",
    search: "SearchSettings",
) -> Iterator[Round]:
    """Yield the rounds of an experiment. Raises UserError for what cannot follow from the round before."""
    if rounds > 1:
        _check_refits(later)
    yield Round(
        number=1,
        collect=replaced(collect, later={}),
        memory=memory,
        search=search,
        fits_vision=True,
        continues_memory=False,
        continues_controller=False,
        later_share=0.0,
        recency=None,
        start_pay=None,
    )
    for number in range(2, rounds + 1):
        said = _said(number, later, last if number == rounds else None)
        continues_memory = said["memory"] == "continue"
        continues_controller = continues_memory and said["controller"] == "continue"
        searched = ("climbs", *(_SEARCHED if continues_controller else ()))
        yield Round(
            number=number,
            collect=replaced(collect, first={}),
            memory=_with(memory, steps=said["memory_steps"]) if continues_memory else memory,
            search=_with(search, **{name: said[name] for name in searched}),
            fits_vision=said["vision"] == "refit",
            continues_memory=continues_memory,
            continues_controller=continues_controller,
            later_share=said["later_share"],
            recency=said["recency"],
            start_pay=said["start_pay"],
        )


def _said(number: int, later: LaterRounds, last: LastRound | None) -> dict[str, Any]:
    """Return what is said of a later round: lists dealt out, and the last round's own words put first."""
    said = {name: _dealt(value, number) if name in _LISTS else value for name, value in vars(later).items()}
    said |= {name: value for name, value in (vars(last) if last else {}).items() if value is not None}
    if later.refit_rounds is not None and number not in later.refit_rounds:
        said |= {"vision": "keep", "memory": "continue"}
    return said


def _dealt(setting: object, number: int) -> object:
    return setting[min(number - 2, len(setting) - 1)] if isinstance(setting, list) else setting


def _with(part: Part, **arguments: object) -> Part:
    """Return a part with those of these arguments replaced that have a value and that it takes."""
    taken = component(part).arguments
    return replaced(part, **{name: value for name, value in arguments.items() if value is not None and name in taken})


def _check_refits(later: LaterRounds) -> None:
    """Raise UserError where something is told to continue on features that have got a new meaning."""
    if later.vision == "refit" and later.memory == "continue":
        raise UserError(
            "later_rounds.vision=refit gives latents a new meaning, which later_rounds.memory=continue cannot "
            "follow. Use later_rounds.memory=refit, or later_rounds.vision=keep."
        )
    if later.refit_rounds is not None and later.memory == "continue":
        raise UserError(
            "later_rounds.refit_rounds says when, but nothing is to be fitted again. Use later_rounds.memory=refit, "
            "and later_rounds.vision=refit too if V is to be."
        )
