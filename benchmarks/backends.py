"""What a driver loses when V has seen another simulator's pictures: `python -m benchmarks.backends`.

Two drivers, C linear on [z] and searched for on real tracks of the quick preset: V of EnvPool's pictures and C on
EnvPool's tracks; V of Gymnasium's and C on Gymnasium's. Each then drives as many whole tracks on either simulator. A V
of both is not there: collections of two simulators are never read together, and there is no gap for it to close.
Results are kept in the folder `--root`, so a broken off measurement goes on. Needs the extra `bulk`.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import torch

from wmframe.cli.prepare import EXPERIMENT
from wmframe.data.seeds import draw_seeds
from wmframe.engine.config.bind import bind
from wmframe.engine.config.building import build_part
from wmframe.engine.config.component import Component
from wmframe.engine.config.compose import compose
from wmframe.engine.graph.recipe import nodes_of
from wmframe.engine.machine import Machine
from wmframe.engine.runs.worker import Worker
from wmframe.engine.tracking.progress import Progress
from wmframe.envs.batch import make_batch
from wmframe.envs.car_racing import CarRacing
from wmframe.report.statistics import mean_difference, summarise
from wmframe.stages.models import Parts, load_driver
from wmframe.worlds.driver import Driver
from wmframe.worlds.rollout import rollout
from wmframe.worlds.settings import WorldSettings

QUICK = ["preset=quick", "rounds=1", "world=reality_short", "search=cma_short", "memory=none", "controller.senses=z"]
ALLOWED = ("wmframe",)
Renderer = Literal["envpool", "fast"]
SIMULATORS: dict[Renderer, str] = {"envpool": "EnvPool", "fast": "Gymnasium"}


def experiment(renderer: Renderer, seed: int) -> Component:
    """Return the quick preset's experiment on one simulator."""
    overrides = ["experiment=car_racing", *QUICK, f"seed={seed}", f"env.renderer={renderer}"]
    return bind(compose(overrides), target=EXPERIMENT)


def obtain(worker: Worker, of: Component) -> Driver:
    """Compute what is missing of an experiment's V, M and C, and build the driver."""
    parts: dict[str, Path] = {}
    for node in nodes_of(of, ALLOWED):
        if node.stage.name not in ("agent", "baseline", "evaluate"):
            artefact, _ = worker.obtain(node, {})
            parts[node.stage.name] = artefact.path
    world = build_part(of, "world", WorldSettings, allowed=ALLOWED)
    return load_driver(Parts(**parts), world=world, allowed=ALLOWED, device=torch.device("cpu"))


@torch.inference_mode()
def score(driver: Driver, spec: CarRacing, tracks: int, workers: int) -> list[float]:
    """Return a driver's returns over whole episodes on tracks that nothing was fitted or searched on."""
    with make_batch(spec, workers) as batch:
        returns: list[float] = rollout(
            driver.awake(batch), driver.act(), draw_seeds("select", ("backends",), tracks)
        ).returns.tolist()
    return returns


def told(returns: Sequence[float]) -> str:
    """Return mean and spread."""
    of = summarise(returns)
    return f"{of.mean:.0f} ± {of.std:.0f}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a row per driver: its returns on each simulator and their difference with its 95 % interval."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backends", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("build/backends"), help="where results are kept")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tracks", type=int, default=64)
    options = parser.parse_args(arguments)
    machine = Machine(accelerator="cpu")
    machine.settle()
    worker = Worker(options.root, machine, ALLOWED, Progress(sys.stderr))
    print("| driver | on EnvPool | on Gymnasium | Gymnasium minus EnvPool |\n|---|---|---|---|")
    for renderer, name in SIMULATORS.items():
        of = experiment(renderer, options.seed)
        driver, spec = obtain(worker, of), build_part(of, "env", CarRacing, allowed=ALLOWED)
        pool, own = (
            score(driver, replace(spec, renderer=on), options.tracks, machine.environment_workers) for on in SIMULATORS
        )
        gap = mean_difference(own, pool)
        span = "" if gap is None else f"{gap.mean:.0f} [{gap.low:.0f}, {gap.high:.0f}]"
        print(f"| V of {name} | {told(pool)} | {told(own)} | {span} |", flush=True)


if __name__ == "__main__":
    main()
