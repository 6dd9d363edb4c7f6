"""What a driver loses when V has seen another simulator's pictures: `python -m benchmarks.backends --root FOLDER`.

Two drivers, C linear on [z] and searched for on real tracks of the quick preset: V of EnvPool's pictures and C on
EnvPool's tracks; V of Gymnasium's and C on Gymnasium's. Each then drives as many whole tracks on either simulator. A V
of both is not there: collections of two simulators are never read together, and there is no gap for it to close.
Results are kept in the folder's store, so a broken off measurement goes on. Needs the extra
`bulk`.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from wmframe.config.bind import Component, bind
from wmframe.config.compose import compose
from wmframe.data.seeds import draw_seeds
from wmframe.envs.batch import make_batch
from wmframe.envs.car_racing import CarRacing
from wmframe.pipeline.graph import TARGET, Node, graph
from wmframe.pipeline.runner import Worker
from wmframe.stages.machine import Machine
from wmframe.stages.models import load_driver
from wmframe.tracking.progress import Progress
from wmframe.worlds.driver import Driver
from wmframe.worlds.rollout import rollout
from wmframe.worlds.settings import RealitySettings

QUICK = ["preset=quick", "rounds=1", "world=reality_short", "search=cma_short", "memory=none", "controller.senses=z"]
Renderer = Literal["fast", "envpool"]


def nodes(renderer: Renderer, seed: int) -> dict[str, Node]:
    """Return the quick preset's graph on one simulator, by name."""
    plain = compose(["experiment=car_racing", *QUICK, f"seed={seed}", f"env.renderer={renderer}"])
    experiment = bind(plain, target=TARGET)
    assert isinstance(experiment, Component)  # noqa: S101
    return {node.name: node for node in graph(experiment)}


def drivers(seed: int) -> dict[str, dict[str, Node]]:
    """Return each driver's nodes, in an order in which they can be computed."""
    return {"V of EnvPool": nodes("envpool", seed), "V of Gymnasium": nodes("fast", seed)}


def obtain(worker: Worker, wanted: dict[str, Node]) -> Driver:
    """Compute what is missing of a driver and build it."""
    parts: dict[str, Path] = {}
    for node in wanted.values():
        if node.stage not in ("agent", "baseline", "evaluate"):
            artefact, _ = worker.obtain(node, {})
            parts[node.stage] = artefact.path
    return load_driver(parts, world=RealitySettings(), allowed=("wmframe",), device=torch.device("cpu"))


@torch.inference_mode()
def score(driver: Driver, renderer: Renderer, tracks: int, workers: int) -> NDArray[np.float64]:
    """Return a driver's returns over whole episodes on tracks that nothing was fitted or searched on."""
    spec, seeds = CarRacing(action_repeat=4, renderer=renderer), draw_seeds("select", ("backends",), tracks)
    with make_batch(spec, workers) as batch:
        return rollout(driver.awake(batch), driver.act(), seeds).returns.numpy()


def told(returns: NDArray[np.float64]) -> str:
    """Return mean and spread."""
    return f"{returns.mean():.0f} ± {returns.std(ddof=1):.0f}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a row per driver: its returns on each simulator and their difference with its 95 % interval."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backends", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("build/backends"), help="where results are kept")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tracks", type=int, default=64)
    options = parser.parse_args(arguments)
    machine = Machine(accelerator="cpu")
    machine.settle()
    worker = Worker(options.root, machine, ("wmframe",), Progress(sys.stderr))
    print("| driver | on EnvPool | on Gymnasium | Gymnasium minus EnvPool |\n|---|---|---|---|")
    for name, wanted in drivers(options.seed).items():
        driver = obtain(worker, wanted)
        pool, own = (
            score(driver, renderer, options.tracks, machine.environment_workers) for renderer in ("envpool", "fast")
        )
        half = 1.96 * np.sqrt((pool.var(ddof=1) + own.var(ddof=1)) / options.tracks)
        gap = own.mean() - pool.mean()
        print(f"| {name} | {told(pool)} | {told(own)} | {gap:.0f} [{gap - half:.0f}, {gap + half:.0f}] |", flush=True)


if __name__ == "__main__":
    main()
