"""Search for C in its world (paper, sections 2.4 and 4).

V, M and, for a dream, latents come in, and in later rounds the last round's C; or a whole agent, whose C goes on. C's
config and parameters go out, with the states that its dreams start from.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch

from wmframe.controller.contract import Controller
from wmframe.data.seeds import draw_seeds
from wmframe.errors import UserError
from wmframe.files import write_json
from wmframe.search.evolve import CannotRepeatError, Found, Ledger, Scores, evolve
from wmframe.search.settings import GradientSearch, Search, SearchSettings
from wmframe.search.strategy import Parameters
from wmframe.stages.climb import climb
from wmframe.stages.inhabit import training_world
from wmframe.stages.models import load_controller, save_controller
from wmframe.stages.task import Task
from wmframe.worlds.contract import World
from wmframe.worlds.dream import Dream
from wmframe.worlds.rollout import population_returns

Score = Callable[[Parameters, Sequence[int]], Scores]
"""The mean returns (P,) of candidates (P, D) on these seeds."""


def run(task: Task) -> None:
    """Build C and its world, search, save what is returned."""
    controller, search = task.build("controller", Controller), task.build("search", SearchSettings)
    start = _start(task, controller)
    with training_world(task, controller) as world:
        score = _scorer(world, controller, task.machine.device)
        found = _found(task, search, start, world, controller, score)
    save_controller(torch.from_numpy(found.parameters), task.component("controller"), task.output)
    write_json(task.output / "search.json", {"select_return": found.select_score, "generation": found.generation})


def _found(
    task: Task, search: SearchSettings, start: Parameters, world: World, controller: Controller, score: Score
) -> Found:
    """Search in the way that is set."""
    seeds = draw_seeds("select", (task.seed, "search"), search.select_rollouts)
    if isinstance(search, GradientSearch) and isinstance(world, Dream):
        return climb(task, search, start, world, controller, lambda stands: float(score(stands[None], seeds)[0]))
    if not isinstance(search, Search):
        raise TypeError(f"search: {type(search).__name__} cannot search in {type(world).__name__}")
    ledger = Ledger(task.resume / "generations.jsonl", task.key, task.say)
    try:
        return _evolved(task, search, start, score, ledger, seeds)
    except CannotRepeatError as error:
        task.say(f"{error}; it starts over")
        ledger.clear()
        return _evolved(task, search, start, score, ledger, seeds)


def _evolved(
    task: Task, search: Search, start: Parameters, score: Score, ledger: Ledger, select_seeds: Sequence[int]
) -> Found:
    """Let a population evolve, or go on where the ledger stands. The history is written anew from it, row by row."""
    begun = len(ledger.generations)
    with (
        task.history() as history,
        task.progress.stage(task.name, total=search.generations, unit="generations", start=begun) as bar,
    ):

        def report(generation: int, row: Mapping[str, float]) -> None:
            history.log(generation, row)
            if generation > begun:
                bar.update(done=generation, note=f"fitness {row['controller/fitness_mean']:.1f}")

        return evolve(
            search,
            search.begin(start, draw_seeds("train", (task.seed, "search"), 1)[0]),
            fitness=lambda candidates, generation: score(
                candidates, draw_seeds("train", (task.seed, "fitness", generation), search.rollouts)
            ),
            select=lambda finalists: score(finalists, select_seeds),
            ledger=ledger,
            report=report,
        ) or Found(start, 0.0, 0)


def _start(task: Task, controller: Controller) -> Parameters:
    """Return zeros, as the paper does, or the parameters of the C that goes on.

    Raises UserError if that is another kind of C, as only an agent from elsewhere may be.
    """
    if "controller" not in task.driver:
        return np.zeros(controller.size)
    last, parameters = load_controller(task.driver["controller"], allowed=task.allowed, device=torch.device("cpu"))
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
