"""`wmframe plan`: what `run` would compute, what is cached, and why. Computes nothing, imports no torch."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from wmframe.cli.overrides import Invocation, parse
from wmframe.cli.prepare import Job, prepare
from wmframe.cli.tell import tell
from wmframe.engine.graph.forecast import Cost, Forecast, total
from wmframe.engine.graph.node import Node
from wmframe.engine.graph.recipe import nodes_of, root_of
from wmframe.engine.runs.sweeps import differing
from wmframe.report.numbers import duration, size

HELP = """Say what `run` would compute, what is cached, and why.

usage: wmframe plan [-m] [--config-dir DIR] [--allow MODULE] [key=value ...]

  wmframe plan experiment=car_racing preset=quick memory.mixtures=1
  wmframe plan -m world.temperature=0.5,1.0,1.15

Takes what `run` takes. A stage's line says "cached", "continues" or "will run", its key, what it will cost, and
why: the fields that differ from the nearest result there is, old → new. A sweep's stages stand there once, with
the jobs that share them. Time and disk are those of the nearest result here that was as much work; there is no
estimate for what was never run here.
"""

_SHOWN = 3
"""Reasons printed for a stage."""


@dataclass
class _Stage:
    """One result that is wanted, and the numbers of the jobs that want it."""

    node: Node
    forecast: Forecast
    jobs: list[int] = field(default_factory=list)


def execute(arguments: Sequence[str]) -> int:
    """Print every stage once, and what all of them will cost."""
    invocation = parse(arguments)
    jobs = prepare(invocation)
    if invocation.multirun:
        _say_search(invocation)
        for number, name in enumerate(differing([job.overrides for job in jobs]), 1):
            tell(f"job {number} of {len(jobs)}: {name}")
    stages = _stages(jobs, invocation.allowed)
    costs = [_print(stage, len(jobs)) for stage in stages]
    running = [cost for cost in costs if cost != Cost(0.0, 0)]
    tell(f"in all: {len(running)} of {len(stages)} stages to run for {_jobs(len(jobs))}{_sum(running)}")
    return 0


def _say_search(invocation: Invocation) -> None:
    from wmframe.engine.config.multirun import hydra_config, part, searches  # Hydra is slow to import: not for `--help`

    config = hydra_config(part(invocation.overrides)[1], folders=invocation.folders)
    if searches(config):
        budget = config.hydra.sweeper.get("budget", "its")
        tell(f"a search chooses its {budget} jobs as it learns; these are examples of what it may ask for")


def _stages(jobs: Sequence[Job], allowed: Sequence[str]) -> list[_Stage]:
    forecasts: dict[Path, Forecast] = {}
    stages: dict[tuple[Path, str, str], _Stage] = {}
    for number, job in enumerate(jobs, 1):
        root = root_of(job.experiment)
        forecast = forecasts.setdefault(root, Forecast(root))
        for node in nodes_of(job.experiment, allowed):
            stages.setdefault((root, node.stage.name, node.key), _Stage(node, forecast)).jobs.append(number)
    return list(stages.values())


def _print(stage: _Stage, jobs: int) -> Cost | None:
    """Print a stage's line and return what it will cost: nothing if it is cached, None if nobody knows."""
    node, status = stage.node, stage.forecast.status(stage.node)
    shared = f"  {_numbers(stage.jobs, jobs)}" if jobs > 1 else ""
    if status.state == "cached":
        tell(f"  {node.name:<19} {'cached':<10} {node.key}{shared}")
        return Cost(0.0, 0)
    if status.state == "sealed":
        tell(f"  {node.name:<19} {'cached':<10} {node.key}{shared}  {status.reason}")
        return Cost(0.0, 0)
    cost = stage.forecast.cost(node)
    said = "continues" if status.state == "partial" else "will run"
    told = "no estimate" if cost is None else f"~{duration(cost.seconds)}, {size(cost.bytes)}"
    tell(f"  {node.name:<19} {said:<10} {node.key}{shared}  {told}  {_short(stage.forecast.why(node))}")
    return cost


def _sum(costs: Sequence[Cost | None]) -> str:
    if not costs:
        return ""
    known = [cost for cost in costs if cost is not None]
    unknown = len(costs) - len(known)
    if not known:
        return ", no estimate: nothing like them was run here"
    whole = total(known)
    rest = f", and {unknown} without an estimate: nothing like them was run here" if unknown else ""
    return f", about {duration(whole.seconds)} one after the other and {size(whole.bytes)}{rest}"


def _numbers(numbers: Sequence[int], jobs: int) -> str:
    """Job numbers in few characters: "all jobs", "job 4", "jobs 1-3,7"."""
    if len(numbers) == jobs:
        return "all jobs"
    runs = [[n for _, n in group] for _, group in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0])]
    spans = ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
    return f"{'job' if len(numbers) == 1 else 'jobs'} {spans}"


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count} jobs"


def _short(reasons: Sequence[str]) -> str:
    more = f"; and {len(reasons) - _SHOWN} more" if len(reasons) > _SHOWN else ""
    return "; ".join(reasons[:_SHOWN]) + more
