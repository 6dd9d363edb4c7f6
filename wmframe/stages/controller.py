"""Search for C in its world (paper, sections 2.4 and 4).

V, M and, for a dream, latents come in, and in later rounds the last round's C; or a whole agent, whose C goes on. C's
config and parameters go out, with the states that its dreams start from.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np
import torch

from wmframe.controller.contract import Controller
from wmframe.data.emphasis import Emphasis
from wmframe.data.seeds import draw_seeds
from wmframe.engine.durability.files import write_json
from wmframe.engine.errors import UserError
from wmframe.engine.runs.context import StageContext
from wmframe.envs.spec import EnvSpec
from wmframe.search.evolve import CannotRepeatError, Found, Ledger, Scores, evolve
from wmframe.search.settings import GradientSearch, Search, SearchSettings
from wmframe.search.strategy import Parameters
from wmframe.stages.climb import climb
from wmframe.stages.initial_agent import check_it_fits
from wmframe.stages.make_world import draw_starts, dream_world, real_world
from wmframe.stages.models import STARTS, agent_parts, load_controller, load_memory, load_vision, save_controller
from wmframe.worlds.contract import World
from wmframe.worlds.dream import Dream
from wmframe.worlds.rollout import population_returns
from wmframe.worlds.settings import DreamSettings, RealitySettings, WorldSettings

Score = Callable[[Parameters, Sequence[int]], Scores]
"""The mean returns (P,) of candidates (P, D) on these seeds."""


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
    begin = _start(context, controller, start)
    remembered = load_memory(memory, allowed=context.allowed, device=context.machine.device)
    with ExitStack() as stack:
        opened: World
        if isinstance(world, DreamSettings):
            draw = partial(draw_starts, world, remembered, latents or {}, seed=seed, start_pay=start_pay)
            draw = partial(draw, emphasis=Emphasis.of(later_share, recency))
            opened = stack.enter_context(dream_world(context, world, remembered, controller.senses, draw))
        elif isinstance(world, RealitySettings) and env is not None:
            if agent is not None:
                check_it_fits(agent, remembered, env)
            _keep_starts(context, start)
            seeing = load_vision(vision, allowed=context.allowed, device=context.machine.device)
            opened = stack.enter_context(real_world(context, world, env, seeing, remembered, controller.senses))
        else:
            raise TypeError(f"world: {type(world).__name__} is neither a dream nor an environment")
        score = _scorer(opened, controller, context.machine.device)
        found = _found(context, search, begin, opened, controller, score, seed)
    save_controller(torch.from_numpy(found.parameters), context.component("controller"), context.output)
    write_json(context.output / "search.json", {"select_return": found.select_score, "generation": found.generation})


def _keep_starts(context: StageContext, start: Path | None) -> None:
    """Keep the states that a C dreamt from which goes on awake, so that it can still be watched dreaming."""
    if start is not None and (start / STARTS).is_file():
        shutil.copyfile(start / STARTS, context.output / STARTS)


def _found(
    context: StageContext,
    search: SearchSettings,
    start: Parameters,
    world: World,
    controller: Controller,
    score: Score,
    seed: int,
) -> Found:
    """Search in the way that is set."""
    seeds = draw_seeds("select", (seed, "search"), search.select_rollouts)
    if isinstance(search, GradientSearch) and isinstance(world, Dream):

        def measure(parameters: Parameters) -> float:
            return float(score(parameters[None], seeds)[0])

        return climb(context, search, start, world, controller, measure, seed=seed)
    if not isinstance(search, Search):
        raise TypeError(f"search: {type(search).__name__} cannot search in {type(world).__name__}")
    ledger = Ledger(context.resume / "generations.jsonl", context.key, context.say)
    try:
        return _evolved(context, search, start, score, ledger, seeds, seed)
    except CannotRepeatError as error:
        context.say(f"{error}; it starts over")
        ledger.clear()
        return _evolved(context, search, start, score, ledger, seeds, seed)


def _evolved(
    context: StageContext,
    search: Search,
    start: Parameters,
    score: Score,
    ledger: Ledger,
    select_seeds: Sequence[int],
    seed: int,
) -> Found:
    """Let a population evolve, or go on where the ledger stands. The history is written anew from it, row by row."""
    begun = len(ledger.generations)
    with (
        context.history() as history,
        context.progress.stage(context.name, total=search.generations, unit="generations", start=begun) as bar,
    ):

        def report(generation: int, row: Mapping[str, float]) -> None:
            history.log(generation, row)
            if generation > begun:
                bar.update(done=generation, note=f"fitness {row['controller/fitness_mean']:.1f}")

        return evolve(
            search,
            search.begin(start, draw_seeds("train", (seed, "search"), 1)[0]),
            fitness=lambda candidates, generation: score(
                candidates, draw_seeds("train", (seed, "fitness", generation), search.rollouts)
            ),
            select=lambda finalists: score(finalists, select_seeds),
            ledger=ledger,
            report=report,
        ) or Found(start, 0.0, 0)


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


def _scorer(world: World, controller: Controller, device: torch.device) -> Score:
    def score(candidates: Parameters, seeds: Sequence[int]) -> Scores:
        parameters = torch.from_numpy(candidates).float().to(device)
        return population_returns(world, controller, parameters, seeds).mean(1).numpy()

    return score
