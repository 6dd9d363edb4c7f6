"""Build every part of an experiment once before any work, so that a mistake costs seconds and not the hours before it.

A bound experiment comes in; nothing goes out but a UserError. Called by the runner.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch

from wmframe.collect.collection import Collection
from wmframe.controller.contract import Controller
from wmframe.engine.config.bind import Component
from wmframe.engine.config.building import build_part
from wmframe.engine.errors import UserError
from wmframe.envs.spec import EnvSpec
from wmframe.memory.contract import Memory
from wmframe.search.settings import GradientSearch, Search, SearchSettings
from wmframe.vision.contract import SIDE, Vision
from wmframe.worlds.settings import DreamSettings, WorldSettings


def preflight(experiment: Component, allowed: Sequence[str]) -> None:
    """Raise UserError for values that constructors refuse, parts that do not go together, and what is not installed."""

    built = partial(build_part, experiment, allowed=allowed)
    env = built("env", EnvSpec)
    env.check()
    built("collect", Collection)
    _check_precision(built("vision", Vision))
    built("controller", Controller)
    memory, world, search = built("memory", Memory), built("world", WorldSettings), built("search", SearchSettings)
    if isinstance(world, DreamSettings) and not memory.dreams:
        raise UserError(
            "memory=none predicts nothing, so there is no dream to search in. Add world=reality, or use another memory."
        )
    _check_value(memory, world, env.most_steps)
    if isinstance(search, GradientSearch) and not isinstance(world, DreamSettings):
        raise UserError(
            "search=gradient climbs through M, and on the real track there is nothing to climb through. Add "
            "search=cma, or world=dream_short."
        )
    if isinstance(search, Search):
        search.begin(np.zeros(2), 0)
    if experiment.arguments["finish"] is not None:
        build_part(experiment.part("finish"), "search", Search, allowed=allowed).begin(np.zeros(2), 0)


def _check_value(memory: Memory, world: WorldSettings, most_steps: int) -> None:
    """Raise UserError for a value that a dream is to be paid and M does not have, or no episode is long enough for."""
    if isinstance(world, DreamSettings) and world.bootstrap and not memory.value_steps:
        raise UserError(
            "world.bootstrap=true pays at the horizon what M expects to come after it, and this M expects nothing. "
            f"Add memory.value_steps={most_steps // 4 or 1}, or world.bootstrap=false."
        )
    if memory.value_steps >= most_steps:
        raise UserError(
            f"memory.value_steps={memory.value_steps}: an episode lasts {most_steps} steps at the most (env.max_frames "
            f"over env.action_repeat), so none shows what comes that far ahead. Add memory.value_steps="
            f"{most_steps // 4 or 1}, or world.bootstrap=false memory.value_steps=0."
        )


def _check_precision(vision: Vision) -> None:
    """Raise UserError for a V of a user's own that could not be scored, hours later."""
    try:
        vision.double().encode(torch.zeros(1, SIDE, SIDE, 3, dtype=torch.uint8))
    except RuntimeError as error:
        raise UserError(
            f"vision: {type(vision).__name__}.encode computes in float32 alone, but agents are scored in float64, for "
            f"scores to be the same on every processor ({str(error).splitlines()[0]}). Turn frames into numbers by "
            "frames.to(self.dtype)."
        ) from error
