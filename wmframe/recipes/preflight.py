"""Build every part of an experiment once before any work, so that a mistake costs seconds and not the hours before it.

A bound experiment comes in; nothing goes out but a UserError. Called by the runner.
"""

from collections.abc import Sequence
from functools import partial

import torch

from wmframe.collect.collection import Collection
from wmframe.controller.contract import Controller
from wmframe.engine.config.bind import Component
from wmframe.engine.config.building import build_part
from wmframe.engine.errors import UserError
from wmframe.envs.actions import ACTIONS
from wmframe.envs.spec import EnvSpec
from wmframe.memory.contract import Memory
from wmframe.recipes.fitting import acting, seeing
from wmframe.search.settings import SearchSettings
from wmframe.vision.contract import Vision
from wmframe.worlds.settings import WorldSettings


def preflight(experiment: Component, allowed: Sequence[str]) -> None:
    """Raise UserError for values that constructors refuse, parts that do not go together, and what is not installed."""
    vision, controller, env = (experiment.arguments[name] for name in ("vision", "controller", "env"))
    fitting = experiment.with_arguments(vision=seeing(vision, env), controller=acting(controller, env))
    built = partial(build_part, fitting, allowed=allowed)
    env = built("env", EnvSpec)
    env.check()
    built("collect", Collection)
    _check_precision(built("vision", Vision))
    _check_actions(built("controller", Controller), env)
    memory, world, search = built("memory", Memory), built("world", WorldSettings), built("search", SearchSettings)
    world.check(memory, env)
    _check_value(memory, env.most_steps)
    search.check(world)
    if experiment.arguments["finetune"] is not None:
        finetune = experiment.part("finetune")
        real = build_part(finetune, "world", WorldSettings, allowed=allowed)
        build_part(finetune, "search", SearchSettings, allowed=allowed).check(real)


def _check_actions(controller: Controller, env: EnvSpec) -> None:
    """Raise UserError for a C that chooses where there is nothing to choose from."""
    if env.actions == "box" and controller.actions is not ACTIONS["box"]:
        raise UserError(
            f"controller: {type(controller).__name__} chooses one of several actions, but this environment's "
            "are points of [-1, 1]^A. Add env.actions=discrete if they are not, or use controller=linear."
        )


def _check_value(memory: Memory, most_steps: int) -> None:
    """Raise UserError for a value of M's that no episode is long enough for."""
    if memory.value_steps >= most_steps:
        raise UserError(
            f"memory.value_steps={memory.value_steps}: an episode lasts {most_steps} steps at the most (env.max_frames "
            f"over env.action_repeat), so none shows what comes that far ahead. Add memory.value_steps="
            f"{most_steps // 4 or 1}, or world.bootstrap=false memory.value_steps=0."
        )


def _check_precision(vision: Vision) -> None:
    """Raise UserError for a V of a user's own that could not be scored, hours later."""
    try:
        vision.double().encode(torch.zeros(1, *vision.frame_shape, dtype=torch.uint8))
    except RuntimeError as error:
        raise UserError(
            f"vision: {type(vision).__name__}.encode computes in float32 alone, but agents are scored in float64, for "
            f"scores to be the same on every processor ({str(error).splitlines()[0]}). Turn frames into numbers by "
            "frames.to(self.dtype)."
        ) from error
