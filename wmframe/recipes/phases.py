"""The phases of an experiment: the first round, the later ones, the last, and a finetuning in the real environment.

What a config says of the phases comes in; one `Phase` for each goes out, with its settings settled. The recipe walks
along them. Nothing heavy is imported, and nothing here is in a key by itself: a stage's key holds what it is given.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Protocol

from annotated_types import Ge, Gt, Le, MinLen
from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from wmframe.engine.errors import UserError
from wmframe.engine.graph.recipe import Part, component, replaced, settings

if TYPE_CHECKING:
    from wmframe.collect.collection import Collection
    from wmframe.memory.contract import Memory
    from wmframe.search.settings import SearchSettings
    from wmframe.worlds.settings import RealitySettings, WorldSettings

Kept = Literal["new", "keep"] | Annotated[list[Literal["new", "keep"]], MinLen(1)]
Continued = Literal["new", "continue"] | Annotated[list[Literal["new", "continue"]], MinLen(1)]
Budget = NonNegativeInt | Annotated[list[NonNegativeInt], MinLen(1)]
Spread = PositiveFloat | Annotated[list[PositiveFloat], MinLen(1)]
Count = PositiveInt | Annotated[list[PositiveInt], MinLen(1)]
Share = Annotated[float, Ge(0), Le(1)] | Annotated[list[Annotated[float, Ge(0), Le(1)]], MinLen(1)]
Weight = Annotated[float, Gt(0), Le(1)] | Annotated[list[Annotated[float, Gt(0), Le(1)]], MinLen(1)]
Pay = float | Annotated[list[float], MinLen(1)]


@dataclass(frozen=True, kw_only=True)
class PhaseSettings:
    """What the rounds of a phase do with what was there before (paper, section 5: the iterative procedure).

    What `last` does not say is as in `later`, and what `later` does not say as in `first`. A list in `later` is dealt
    out to rounds 2, 3, …, its last item to all further ones.

    `vision` is fitted anew on all data or kept as it is; `memory` and `controller` begin anew or continue from their
    parameters. Of a new V latents have a new meaning, so M is new too; of a new M features have one, so C starts over
    whatever is said. In round 1 there is something to keep or to continue if the experiment has a `first_driver`.

    `later_share` of M's batches, of a new V's frames and of the dreams' starts comes from the data of rounds after the
    first; of M's batches and the starts, a round has `recency` times as much in it as the next (1: all later rounds
    alike). Where given, `memory_steps` is the budget of an M that continues; of a C that does, `generations` is it with
    the `sigma` that its search begins with, or `updates` with their `learning_rate`, by the kind of search. What begins
    anew has its own settings' budget; `climbs` are a round's either way. Where the 15 steps before were paid less than
    `start_pay` each, on average, no dream starts: there a driver had lost the road, and C need not learn to find it.
    """

    vision: Kept | None = None
    memory: Continued | None = None
    controller: Continued | None = None
    later_share: Share | None = None
    recency: Weight | None = None
    memory_steps: Budget | None = None
    generations: Budget | None = None
    sigma: Spread | None = None
    updates: Budget | None = None
    learning_rate: Spread | None = None
    climbs: Count | None = None
    start_pay: Pay | None = None


@dataclass(frozen=True, kw_only=True)
class FinetuneSettings:
    """How the last C goes on in the real environment, V and M as they are: by a population around it, for one."""

    world: "RealitySettings"
    search: "SearchSettings"


@dataclass(frozen=True, kw_only=True)
class Phase:
    """One round, settled, or the finetuning: what is new, what continues, and by which settings.

    Without `collect` nothing is recorded or fitted, and C goes on with what there is.
    """

    number: int
    label: str
    memory: "Memory"
    search: "SearchSettings"
    world: "WorldSettings"
    collect: "Collection | None" = None
    new_vision: bool = False
    continues_memory: bool = True
    continues_controller: bool = True
    later_share: float = 0.0
    recency: float | None = None
    start_pay: float | None = None


RENAMED: Final = {
    "later_rounds.refit_rounds": "later.vision and later.memory (a list is dealt out: later.vision=[keep,new,keep])",
    "later_rounds.chosen": "select.chosen",
    "later_rounds.select_episodes": "select.episodes",
    "later_rounds.trials": "select.trials",
    "later_rounds": "later",
    "last_round": "last",
    "finish": "finetune",
}
"""What keys of an experiment were called before."""

_UNSAID: Final[Mapping[str, Any]] = dict.fromkeys(PhaseSettings.__dataclass_fields__) | {
    "vision": "new",
    "memory": "new",
    "controller": "new",
    "later_share": 0.5,
    "recency": 1.0,
}
"""What a round does of which no phase says anything."""

_SEARCHED: Final = ("generations", "sigma", "updates", "learning_rate")
"""Budgets of a C that continues; each kind of search takes its own."""


class _Phased(Protocol):
    """A recipe that goes through phases: what of it is read here."""

    @property
    def rounds(self) -> int: ...

    @property
    def first(self) -> PhaseSettings: ...

    @property
    def later(self) -> PhaseSettings: ...

    @property
    def last(self) -> PhaseSettings: ...

    @property
    def finetune(self) -> FinetuneSettings | None: ...

    @property
    def first_driver(self) -> str | None: ...

    @property
    def collect(self) -> "Collection": ...

    @property
    def memory(self) -> "Memory": ...

    @property
    def search(self) -> "SearchSettings": ...

    @property
    def world(self) -> "WorldSettings": ...


def phases(recipe: _Phased) -> Iterator[Phase]:
    """Yield one phase after the other. Raises UserError for what cannot follow from what was there before."""
    if recipe.rounds == 0:
        _check_without_rounds(recipe.first_driver, recipe.finetune)
    for number in range(1, recipe.rounds + 1):
        yield _round(recipe, number)
    if recipe.finetune is not None:
        real, number = settings(recipe.finetune), recipe.rounds
        label = f"{number}_awake"
        yield Phase(number=number, label=label, memory=recipe.memory, search=real.search, world=real.world)


def _round(recipe: _Phased, number: int) -> Phase:
    """Return a round, settled."""
    said = {"first": recipe.first}
    if number > 1:
        said["later"] = recipe.later
    if number == recipe.rounds > 1:
        said["last"] = recipe.last
    does = _settled(number, said, goes_on=number > 1 or recipe.first_driver is not None)
    continues_memory = does["memory"] == "continue"
    continues_controller = continues_memory and does["controller"] == "continue"
    budgets = ("climbs", *(_SEARCHED if continues_controller else ()))
    return Phase(
        number=number,
        label=f"{number}",
        collect=replaced(recipe.collect, **{"later" if number == 1 else "first": {}}),
        memory=_with(recipe.memory, steps=does["memory_steps"]) if continues_memory else recipe.memory,
        search=_with(recipe.search, **{name: does[name] for name in budgets}),
        world=recipe.world,
        new_vision=does["vision"] == "new",
        continues_memory=continues_memory,
        continues_controller=continues_controller,
        later_share=does["later_share"] if number > 1 else 0.0,
        recency=does["recency"] if number > 1 else None,
        start_pay=does["start_pay"],
    )


def _settled(number: int, said: Mapping[str, PhaseSettings], *, goes_on: bool) -> Mapping[str, Any]:
    """Return what a round does, by the nearest phase that says so, lists dealt out.

    Raises UserError where something is to continue that is not there, or on features that have got a new meaning.
    """
    found, by = dict(_UNSAID), dict.fromkeys(_UNSAID, [*said][-1])
    for phase, part in said.items():
        for name, value in vars(settings(part)).items():
            if value is not None:
                found[name], by[name] = _dealt(value, number, phase, name), phase
    for name in ("vision", "memory", "controller"):
        if found[name] != "new" and not goes_on:
            raise UserError(
                f"{by[name]}.{name}={found[name]}: in round 1 there is nothing yet to {found[name]}. Use "
                f"{by[name]}.{name}=new, or name an agent that there is: first_driver=zoo/car_racing_dream."
            )
    if found["vision"] == "new" and found["memory"] == "continue":
        raise UserError(
            f"{by['vision']}.vision=new gives latents a new meaning in round {number}, which {by['memory']}.memory="
            f"continue cannot follow. Use {by['memory']}.memory=new, or {by['vision']}.vision=keep."
        )
    return found


def _dealt(value: object, number: int, phase: str, name: str) -> object:
    """Return a round's share of a setting; UserError for a list of a phase that is one round."""
    if not isinstance(value, list):
        return value
    if phase != "later":
        raise UserError(f"{phase}.{name} is a list, and {phase} is one round: give it one value, or use later.{name}.")
    return value[min(number - 2, len(value) - 1)]


def _with(part: Part, **arguments: object) -> Part:
    """Return a part with those of these arguments replaced that have a value and that it takes."""
    taken = component(part).arguments
    return replaced(part, **{name: value for name, value in arguments.items() if value is not None and name in taken})


def _check_without_rounds(first_driver: str | None, finetune: FinetuneSettings | None) -> None:
    """Raise UserError unless there is an agent, and something for it to do."""
    if first_driver is None:
        raise UserError(
            "rounds=0 trains no V, M or C, so it needs a finished agent to go on from: add "
            "first_driver=zoo/car_racing_dream, or a run of yours. Or use rounds=1."
        )
    if finetune is None:
        raise UserError(
            f"rounds=0 and finetune=null leave {first_driver} nothing to do. Add finetune=real, or score it as it is: "
            f"wmframe evaluate {first_driver.partition('@')[0]}"
        )
