"""Recipes: the schema of a whole experiment, and what it computes.

A recipe is a frozen dataclass. Its fields are what an experiment's YAML may hold; `result` calls stages and returns the
handle of the last. Both are read while planning, when nothing heavy is imported: fields name their parts' classes as
types alone, and hold them as the config has them.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar, cast

from annotated_types import Ge, Lt

from wmframe.engine.config.build import import_target
from wmframe.engine.config.component import Component
from wmframe.engine.config.signature import read_signature
from wmframe.engine.config.user_code import hold
from wmframe.engine.graph.node import Node
from wmframe.engine.graph.stage import Handle, allowed_modules, trace

if TYPE_CHECKING:
    from wmframe.engine.machine import Machine
    from wmframe.engine.tracking.tracker import Tracker

Part = TypeVar("Part")

RECIPE: Final = "wmframe.engine.graph.recipe.Recipe"


@dataclass(frozen=True, kw_only=True)
class Paths:
    """Where things lie: `artefacts/` and `runs/` are folders of `root`, which is relative to the working directory."""

    root: str = "."


@dataclass(frozen=True, kw_only=True)
class Recipe(ABC):
    """What every experiment has: a name, a seed, a machine that computes it, a tracker, and a place for its results."""

    name: str
    seed: Annotated[int, Ge(0), Lt(2**32)]
    trainer: "Machine"
    tracker: "Tracker"
    paths: Paths

    @abstractmethod
    def result(self) -> Handle:
        """Call stages, and return the last one's result. Raises UserError for what cannot be computed."""

    def check(self, experiment: Component, allowed: Sequence[str]) -> None:
        """Raise UserError for parts that do not go together, before any work; heavy things may be imported for it."""
        return

    def unseen(self) -> Sequence[str]:
        """Return overrides by which a run meets other chance than a search chose it by, to confirm what it found."""
        return ("seed=1000",)


def nodes_of(experiment: Component, allowed: Sequence[str] = ("wmframe",)) -> list[Node]:
    """Return every node of a bound experiment once, parents before children; the last one is what it comes to."""
    recipe = recipe_of(experiment, allowed)
    return trace(recipe.result, allowed=allowed)


def recipe_of(experiment: Component, allowed: Sequence[str]) -> Recipe:
    """Return the recipe that an experiment was bound to, with its parts as the config has them."""
    hold(experiment.code)
    return cast("Recipe", import_target(experiment.target, "", allowed)(**experiment.arguments))


def root_of(experiment: Component) -> Path:
    """Return where an experiment's artefacts and runs lie."""
    return Path(str(experiment.part("paths").arguments["root"]))


def settings(part: Part) -> Part:
    """Return a part that the recipe itself reads, with its own parts as the config has them. Its module is imported."""
    found = component(part)
    return cast("Part", import_target(found.target, "", allowed_modules())(**found.arguments))


def replaced(part: Part, **arguments: object) -> Part:
    """Return a part with these arguments in place of its own."""
    return cast("Part", component(part).with_arguments(**arguments))


def wrapped(part: Part, target: str, argument: str) -> Part:
    """Return a part of the class `target` (a dotted name) that is given this one as its only argument."""
    return cast("Part", Component(target, {argument: component(part)}))


def component(part: object) -> Component:
    """Return a part of a recipe as the config has it: planning holds no part itself."""
    if not isinstance(part, Component):
        raise TypeError(f"{part!r} is no part of a config")
    return part


def is_a(part: object, kind: str) -> bool:
    """Tell by its source whether a part is a `kind`, given by its dotted name, or of a class below that."""
    return kind in read_signature(component(part).target, allowed=allowed_modules()).kinds


def precision(recipe: Recipe) -> str:
    """Return the precision of fits: all of the machine that can change a result."""
    return str(component(recipe.trainer).arguments["precision"])
