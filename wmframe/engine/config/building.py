"""Components made real, and known to be what they should be. Called by the stages and whatever loads artefacts."""

from collections.abc import Sequence
from typing import TypeVar

from wmframe.engine.config.bind import Component
from wmframe.engine.config.build import build
from wmframe.engine.config.signature import TargetError, read_signature
from wmframe.engine.errors import UserError

Built = TypeVar("Built")


def build_as(component: Component, kind: type[Built], *, allowed: Sequence[str], path: str) -> Built:
    """Construct a component; raises UserError if it is no `kind`. `path` is the key that it stands under."""
    # Before it is called, not after: an artefact of somebody else's may name `wmframe.cli.main.main`.
    if not is_declared(component, kind, allowed):
        raise UserError(f"{path}: {component.target} is no {kind.__name__}")
    built = build(component, allowed=allowed, path=path)
    if not isinstance(built, kind):
        raise UserError(f"{path}: {component.target} is no {kind.__name__}")
    return built


def build_part(experiment: Component, name: str, kind: type[Built], *, allowed: Sequence[str]) -> Built:
    """Construct one part of a bound experiment: its env, its vision, …"""
    return build_as(experiment.part(name), kind, allowed=allowed, path=name)


def is_declared(component: Component, kind: type[object], allowed: Sequence[str]) -> bool:
    """Tell from its source whether a target is a class below `kind`, or a function that says it returns one."""
    try:
        kinds = read_signature(component.target, allowed=allowed).kinds
    except TargetError as error:
        raise UserError(f"_target_={component.target}: {error}") from error
    return f"{kind.__module__}.{kind.__qualname__}" in kinds
