"""Search for C in its world (paper, sections 2.4 and 4).

V, M and, for a dream, latents come in, and in later rounds the last round's C; or a whole agent, whose C goes on. C's
config and parameters go out, with the states that its dreams start from.
"""

import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import torch

from wmframe.controller.contract import Controller
from wmframe.data.emphasis import Emphasis
from wmframe.data.latents import EncodedEpisodes, LatentData
from wmframe.engine.durability.files import write_json
from wmframe.engine.errors import UserError
from wmframe.engine.runs.context import StageContext
from wmframe.envs.spec import EnvSpec
from wmframe.memory.contract import Memory
from wmframe.search.contract import SearchContext, scorer
from wmframe.search.settings import SearchSettings
from wmframe.search.strategy import Parameters
from wmframe.stages.environments import environments_apart
from wmframe.stages.initial_agent import check_it_fits
from wmframe.stages.models import STARTS, agent_parts, load_controller, load_memory, load_vision, save_controller
from wmframe.worlds.inputs import WorldInputs
from wmframe.worlds.settings import WorldSettings
from wmframe.worlds.starts import StartStates


def run(
    context: StageContext,
    *,
    controller: Controller,
    search: SearchSettings,
    world: WorldSettings,
    seed: int,
    later_share: float | None = None,
    recency: float | None = None,
    start_pay: float | None = None,
    env: EnvSpec | None = None,
    agent: Path | None = None,
    vision: Path | None = None,
    memory: Path | None = None,
    latents: Mapping[int, Path] | None = None,
    start: Path | None = None,
) -> None:
    """Open C's world, search from zeros or from the C that goes on, save what is returned."""
    if agent is not None:
        vision, memory, start = agent_parts(agent)
    if vision is None or memory is None:
        raise TypeError("C is trained on the features of a V and an M")
    device = context.machine.device
    begin = _start(context, controller, start)
    remembered = load_memory(memory, allowed=context.allowed, device=device)
    if agent is not None and env is not None:
        check_it_fits(agent, remembered, env)
    inputs = WorldInputs(
        memory=remembered,
        senses=controller.senses,
        seed=seed,
        vision=partial(load_vision, vision, allowed=context.allowed, device=device),
        recorded=partial(_recorded, latents or {}),
        emphasis=Emphasis.of(later_share, recency),
        start_pay=start_pay,
        keep_starts=partial(_keep_starts, context, remembered),
        environments=None if env is None else partial(environments_apart, env, context.machine),
    )
    with world.open(inputs) as opened:
        task = SearchContext(score=scorer(opened, controller, device), seed=seed, stage=context)
        found = search.train(opened, controller, begin, task)
    _hand_on_starts(context, start)
    save_controller(torch.from_numpy(found.parameters), context.component("controller"), context.output)
    write_json(context.output / "search.json", {"select_return": found.select_score, "generation": found.generation})


def _recorded(latents: Mapping[int, Path]) -> LatentData:
    return LatentData([EncodedEpisodes.load(folder) for folder in latents.values()])


def _keep_starts(context: StageContext, memory: Memory, draw: Callable[[], StartStates]) -> StartStates:
    """Return the states that C's dreams start from; drawn once, they are part of the result."""
    file = context.output / STARTS
    if not file.is_file():
        draw().save(file)
        context.kept.add(file)
    return StartStates.load(file, memory)


def _hand_on_starts(context: StageContext, start: Path | None) -> None:
    """Keep the states that a C dreamt from which went on awake, so that it can still be watched dreaming."""
    if start is not None and (start / STARTS).is_file() and not (context.output / STARTS).is_file():
        shutil.copyfile(start / STARTS, context.output / STARTS)


def _start(context: StageContext, controller: Controller, start: Path | None) -> Parameters:
    """Return zeros, as the paper does, or the parameters of the C that goes on.

    Raises UserError if that is another kind of C, as only an agent from elsewhere may be.
    """
    if start is None:
        return np.zeros(controller.size)
    last, parameters = load_controller(start, allowed=context.allowed, device=torch.device("cpu"))
    if _kind(last) != _kind(controller):
        raise UserError(
            f"first_driver: its C is {_kind(last)}, this config's {_kind(controller)}: one can't go on from the other. "
            "Use the controller, vision.latent_size and memory.hidden_size that it was trained with."
        )
    return parameters.double().numpy()


def _kind(controller: Controller) -> str:
    return f"{type(controller).__name__} of {controller.size:,} parameters on {controller.senses}"
