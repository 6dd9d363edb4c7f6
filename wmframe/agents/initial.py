"""An agent that an experiment begins with, pinned to its key: where it lies, and what code of the user's it runs on.

The recipe asks for its handle here. Imports nothing heavy.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wmframe.agents.pin import AGENT, PINNED
from wmframe.engine.config.closure import code_of
from wmframe.engine.config.component import targets_in
from wmframe.engine.config.signature import TargetError
from wmframe.engine.config.user_code import Module
from wmframe.engine.durability.checksummed import is_regular
from wmframe.engine.durability.files import read_json
from wmframe.engine.errors import UserError
from wmframe.engine.graph.recipe import Paths, component, is_a, settings
from wmframe.engine.graph.stage import allowed_modules, existing
from wmframe.stages import declared
from wmframe.stages.declared import TrainedAgent

if TYPE_CHECKING:
    from wmframe.collect.collection import Collection

_DRIVING: Final = "wmframe.collect.driving.Driving"


def initial_agent(pinned: str | None, paths: Paths) -> TrainedAgent | None:
    """Return the agent that a pinned name stands for, if any. Raises UserError for a name that nobody has pinned."""
    if pinned is None:
        return None
    match = PINNED.fullmatch(pinned)
    if match is None:
        raise UserError(f"first_driver={pinned}: nobody has looked up which agent that is (name@key)")
    root = Path(settings(paths).root)
    code = _code(match["named"], match["key"], root)
    return existing_agent(match["named"], match["key"], code, called="first_driver")


def existing_agent(named: str, key: str, code: Sequence[Module], *, called: str = "agent") -> TrainedAgent:
    """Return the handle of an agent that there is; `called` is its name in the graph, `code` what it is built by."""
    fetch = "wmframe.agents.pin:fetch"
    return existing(declared.agent, name=called, key=key, origin=f"{named}@{key}", code=code, fetch=fetch)


def check_initial(pinned: str | None, collect: "Collection") -> None:
    """Raise UserError for an agent that no source of round 1 lets play, and for a source that waits for one."""
    sources = component(collect).arguments["first"]
    found = {name: component(source) for name, source in sources.items()} if isinstance(sources, Mapping) else {}
    driven = [name for name, source in found.items() if is_a(source, _DRIVING)]
    if pinned is None and driven:
        raise UserError(
            f"collect.first.{driven[0]} lets a driver drive, and in round 1 there is none yet. Name one: "
            "first_driver=zoo/car_racing_dream, or a run of yours."
        )
    ours = all(source.target.startswith("wmframe.") for source in found.values())
    if pinned is not None and not driven and ours:
        raise UserError(
            f"first_driver={pinned}: no source of collect.first lets a driver drive. Use collect=driven, or "
            "first_driver=null."
        )


def _code(named: str, key: str, root: Path) -> tuple[Module, ...]:
    """Return the user's own modules that a pinned agent's V, M and C are built by.

    One that is nowhere has none here: whoever fetches it says so when it is wanted.
    """
    try:
        return code_of_agent(_lies(named, key, root), allowed_modules())
    except TargetError as error:
        raise UserError(f"first_driver={named}: {error}") from error


def code_of_agent(folder: Path, allowed: Sequence[str]) -> tuple[Module, ...]:
    """Return the user's own modules that an agent's V, M and C are built by, as they are now.

    Raises TargetError for one that cannot be read.
    """
    parts = sorted(folder.glob("*/component.json"))
    targets = [target for part in parts if is_regular(part) for target in targets_in(read_json(part))]
    return tuple({module.name: module for target in targets for module in code_of(target, allowed)}.values())


def _lies(named: str, key: str, root: Path) -> Path:
    """Return where a pinned agent is: in the project, or in that of the run that it is named by."""
    runs = (Path(named), root / "runs" / named)
    folders = [place / "artefacts" / AGENT / key for place in (root, *(run.resolve().parent.parent for run in runs))]
    return next((folder for folder in folders if folder.is_dir()), folders[0])
