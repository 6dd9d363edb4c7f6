"""Components made real, and known to be what they should be. Called by the stages and whatever loads artefacts."""

from collections.abc import Sequence
from typing import TypeVar

from wmframe.config.bind import Component
from wmframe.config.build import build
from wmframe.errors import UserError

Built = TypeVar("Built")


def build_as(component: Component, kind: type[Built], *, allowed: Sequence[str], path: str) -> Built:
    """Construct a component; raises UserError if it is no `kind`. `path` is the key that it stands under."""
    built = build(component, allowed=allowed, path=path)
    if not isinstance(built, kind):
        raise UserError(f"{path}: {component.target} is no {kind.__name__}")
    return built


def build_part(experiment: Component, name: str, kind: type[Built], *, allowed: Sequence[str]) -> Built:
    """Construct one part of a bound experiment: its env, its vision, …"""
    return build_as(experiment.part(name), kind, allowed=allowed, path=name)
