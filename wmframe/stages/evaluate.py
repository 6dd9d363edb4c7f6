"""Score the finished agent, once, on report seeds: awake on the reference environment, and asleep beside it.

The agent comes in; `scores.json` goes out. The random policy's own stage stands beside (`baseline`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Annotated

import torch
from annotated_types import Ge, Le, Lt
from torch import Tensor

from wmframe.data.seeds import report_seeds
from wmframe.engine.durability.files import write_json
from wmframe.engine.runs.context import StageContext
from wmframe.engine.tracking.progress import Bar
from wmframe.envs.spec import EnvSpec
from wmframe.stages.environments import environments
from wmframe.stages.models import STARTS, agent_parts, load_driver
from wmframe.worlds.contract import Step, World
from wmframe.worlds.driver import Driver
from wmframe.worlds.rollout import Act, Outcome, Watch, rollout
from wmframe.worlds.settings import WorldSettings
from wmframe.worlds.starts import StartStates

Row = dict[str, list[float]]
"""Every episode's return and length, in the order of the seeds."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Which report seeds an agent is scored on: `first_seed` … `first_seed` + `episodes` - 1."""

    episodes: Annotated[int, Ge(1), Le(100_000)] = 100
    first_seed: Annotated[int, Ge(0), Lt(900_000_000)] = 0

    @property
    def seeds(self) -> list[int]:
        """The seeds."""
        return report_seeds(self.first_seed, self.episodes)


def run(
    context: StageContext, *, env: EnvSpec, evaluate: Evaluation, world: WorldSettings, agent: Path, baseline: Path
) -> None:
    """Build the agent, let it drive awake and asleep, save every episode's return. The baseline stands beside it."""
    parts = agent_parts(agent)
    driver = load_driver(parts, world=world, allowed=context.allowed, device=context.machine.device)
    precise = driver.in_double()
    with environments(env, context.machine, reference=True) as batch:
        backend = batch.spec.backend
        scores = {"reality": drive(context, precise.awake(batch), lambda _: precise.act(), evaluate.seeds)}
    scores |= asleep(world, driver, parts.controller, evaluate.seeds)
    with context.history() as history:
        means = {name: fmean(row["returns"]) for name, row in scores.items()}
        history.log(0, {f"evaluate/{name}_mean": mean for name, mean in means.items()})
    write_json(context.output / "scores.json", {"seeds": evaluate.seeds, "backend": backend, "scores": scores})


def asleep(settings: WorldSettings, driver: Driver, controller: Path, seeds: Sequence[int]) -> dict[str, Row]:
    """Return what a driver earns in the dream that C was searched for in, or nothing if that was no dream.

    What M expects to come after the horizon is left out: a score is what its steps paid, to be set beside reality's.
    """
    if not settings.dreamt:
        return {}
    starts = StartStates.load(controller / STARTS, driver.memory)
    world = settings.dream(driver.memory, starts, driver.controller.senses, scored=True)
    return {"dream": _row([rollout(world, driver.act(), seeds)])}


@torch.inference_mode()
def drive(context: StageContext, world: World, act: Callable[[Sequence[int]], Act], seeds: Sequence[int]) -> Row:
    """Run an episode per seed, as many at once as the world likes; `act` makes the policy for a group of seeds."""
    outcomes = []
    with context.progress.stage(context.name, total=len(seeds) * world.time_limit, unit="steps") as bar:
        for at in range(0, len(seeds), world.lanes):
            group = seeds[at : at + world.lanes]
            outcomes.append(rollout(world, act(group), group, watch=_count(bar, len(group))))
            bar.update(done=(at + len(group)) * world.time_limit)
    return _row(outcomes)


def _count(bar: Bar, lanes: int) -> Watch:
    """Return a watcher that counts the lanes' steps."""

    def watch(_: Step, actions: Tensor | None) -> None:
        if actions is not None:
            bar.advance(lanes)

    return watch


def _row(outcomes: Sequence[Outcome]) -> Row:
    return {
        "returns": [value for outcome in outcomes for value in outcome.returns.tolist()],
        "lengths": [value for outcome in outcomes for value in outcome.lengths.tolist()],
    }
