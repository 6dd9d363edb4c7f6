"""Score the finished agent, once, on report seeds: awake on the reference environment, and asleep beside it.

V, M, C come in; `scores.json` goes out. The random policy's own stage stands beside (`baseline`).
"""

from dataclasses import dataclass

import torch
from pydantic import NonNegativeInt, PositiveInt

from wmframe.data.seeds import report_seeds
from wmframe.files import write_json
from wmframe.stages.inhabit import STARTS, dream, task_memory, waking_world
from wmframe.stages.models import load_controller
from wmframe.stages.task import Task
from wmframe.tracking.progress import Bar
from wmframe.worlds.contract import World
from wmframe.worlds.rollout import Act, Outcome, population_act, rollout
from wmframe.worlds.settings import DreamSettings, WorldSettings
from wmframe.worlds.starts import StartStates


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Which report seeds an agent is scored on: `first_seed` … `first_seed` + `episodes` - 1."""

    episodes: PositiveInt = 100
    first_seed: NonNegativeInt = 0

    @property
    def seeds(self) -> list[int]:
        """The seeds."""
        return report_seeds(self.first_seed, self.episodes)


def run(task: Task) -> None:
    """Build the agent, let it drive awake and asleep, save every episode's return."""
    evaluation, settings = task.build("evaluate", Evaluation), task.build("world", WorldSettings)
    controller, parameters = load_controller(
        task.inputs["controller"], allowed=task.allowed, device=task.machine.device
    )
    memory = task_memory(task)
    act = population_act(controller, parameters[None], evaluation.episodes)
    with (
        waking_world(task, memory, controller.senses, settings, reference=True) as reality,
        task.progress.stage(task.stage, total=None, unit="steps") as bar,
    ):
        scores = {"reality": _row(drive(reality, act, evaluation.seeds, bar))}
    if isinstance(settings, DreamSettings):
        starts = StartStates.load(task.inputs["controller"] / STARTS)
        world = dream(settings, memory, starts, controller.senses)
        scores["dream"] = _row(rollout(world, act, evaluation.seeds))
    with task.history() as history:
        history.log(0, {f"evaluate/{world}_mean": mean(row["returns"]) for world, row in scores.items()})
    write_json(task.output / "scores.json", {"seeds": evaluation.seeds, "scores": scores})


@torch.inference_mode()
def drive(world: World, act: Act, seeds: list[int], bar: Bar) -> Outcome:
    """Run an episode per seed, telling the bar of every step."""
    return rollout(world, act, seeds, watch=lambda actions: None if actions is None else bar.advance(len(seeds)))


def _row(outcome: Outcome) -> dict[str, list[float]]:
    return {"returns": outcome.returns.tolist(), "lengths": outcome.lengths.tolist()}


def mean(values: list[float]) -> float:
    """Return the mean."""
    return sum(values) / len(values)
