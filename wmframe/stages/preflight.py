"""Build every part of an experiment once before any work, so that a mistake costs seconds and not the hours before it.

Components by name come in; nothing goes out but a UserError. Called by the runner.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from wmframe.collect.collection import Collection
from wmframe.config.bind import Component
from wmframe.controller.contract import Controller
from wmframe.envs.spec import EnvSpec
from wmframe.errors import UserError
from wmframe.memory.contract import Memory
from wmframe.search.settings import Search
from wmframe.stages.building import build_as
from wmframe.vision.contract import Vision
from wmframe.worlds.settings import DreamSettings, WorldSettings


def preflight(parts: Mapping[str, object], allowed: Sequence[str]) -> None:
    """Raise UserError for values that their constructors refuse, and for parts that do not go together."""

    def built(name: str, kind: type) -> object:
        component = parts[name]
        assert isinstance(component, Component)  # noqa: S101  # binding has seen to it
        return build_as(component, kind, allowed=allowed, path=name)

    for name, kind in {"env": EnvSpec, "collect": Collection, "vision": Vision, "controller": Controller}.items():
        built(name, kind)
    memory, world, search = built("memory", Memory), built("world", WorldSettings), built("search", Search)
    assert isinstance(memory, Memory)  # noqa: S101  # build_as has seen to it
    assert isinstance(search, Search)  # noqa: S101
    if isinstance(world, DreamSettings) and not memory.dreams:
        raise UserError(
            "memory=none predicts nothing, so there is no dream to search in. Add world=reality, or use another memory."
        )
    search.begin(np.zeros(2), 0)
