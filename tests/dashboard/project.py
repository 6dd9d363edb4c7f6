"""Projects for tests: many run folders, written by the package's own functions within seconds, and nothing trained."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from wmframe.cli.prepare import EXPERIMENT
from wmframe.engine.config.bind import Component, bind
from wmframe.engine.config.compose import compose
from wmframe.engine.durability.files import write_json
from wmframe.engine.graph.node import Node
from wmframe.engine.graph.recipe import nodes_of
from wmframe.engine.runs.runs import Run, RunRecord, RunState, StageRecord, create_run
from wmframe.engine.runs.sweeps import JobRecord, SweepRecord
from wmframe.engine.store.store import Store
from wmframe.engine.tracking.history import History

HOSTILE = "<img src=x onerror=alert(1)>\"'&</script>{{7*7}}"
POINTS = 40
_METRICS: Mapping[str, Sequence[str]] = {
    "vision": ("squared_error", "held_out_squared_error", "kl"),
    "memory": ("nll", "held_out_nll"),
    "controller": ("fitness_mean", "fitness_best"),
}


@cache
def experiment() -> Component:
    """The toy's smoke experiment, bound once."""
    return bind(compose(["env=toy", "preset=smoke", "tracker=none"]), target=EXPERIMENT)


def changed(values: Mapping[str, Any]) -> Component:
    """The experiment with other values at dotted keys of at most two parts."""
    arguments = dict(experiment().arguments)
    for key, value in values.items():
        group, _, name = key.partition(".")
        part = arguments[group]
        if name:
            assert isinstance(part, Component)
            arguments[group] = part.with_arguments(**{name: value})
        else:
            arguments[group] = value
    return replace(experiment(), arguments=arguments)


def write_run(root: Path, *, state: RunState = "finished", stages: int | None = None, **given: Any) -> Run:
    """Write a run folder with artefacts; keywords are values by key, `_` standing for the dot (memory_mixtures=5).

    A run that is not finished has only so many `stages`.
    """
    values = {key.replace("_", ".", 1): value for key, value in given.items()}
    asked = changed(values)
    nodes = nodes_of(asked)
    run = create_run(root, "toy", asked, nodes)
    records = [write_stage(root, node) for node in nodes[:stages]]
    generator = np.random.default_rng(crc32(repr(values).encode()))
    record = RunRecord(
        command=f"wmframe run -m {' '.join(f'{key}={value}' for key, value in values.items())}",
        overrides=tuple(f"{key}={value}" for key, value in values.items()),
        state=state,
        started=f"2026-11-{generator.integers(1, 22):02}T10:{generator.integers(60):02}:00+00:00",
        seconds=float(generator.uniform(5, 500)),
        stages=tuple(records),
        scores=_scores(generator) if stages is None else {},
        provenance={"device": "cpu", "git": {"commit": "0" * 40, "dirty": False}, "packages": {"torch": "2"}},
        error="UserError: ConvVAE diverged at step 12" if state == "failed" else "",
    )
    run.write(record)
    return run


def write_stage(root: Path, node: Node) -> StageRecord:
    """Publish a stage's result: a history that looks like one, and nothing else."""

    def produce(work: Path) -> None:
        (work / "output" / "summary.json").write_text("{}")
        if node.stage.name in _METRICS:
            write_history(work / "output" / "history.jsonl", node)

    Store(root / "artefacts").obtain(node.request, produce)
    return StageRecord.of(node, "ran", 1.0)


def write_history(path: Path, node: Node, points: int = POINTS) -> None:
    """Write the history of a stage, or its beginning."""
    generator = np.random.default_rng(int(node.key, 16) % 2**32)
    with History(path) as history:
        for step in range(1, points + 1):
            fall = float(np.exp(-step / 10))
            noise = generator.normal(0, 0.03, len(_METRICS[node.stage.name]))
            values = [fall + 0.1 * n + float(shift) for n, shift in enumerate(noise)]
            names = [f"{node.stage.name}/{name}" for name in _METRICS[node.stage.name]]
            history.log(step, dict(zip(names, values, strict=True)))


def write_sweep(root: Path, runs: Sequence[Run], more: Sequence[JobRecord] = ()) -> Path:
    """Write a sweep of these runs, and of jobs that have none."""
    told = [run.record().overrides for run in runs] + [job.overrides for job in more]
    folder = root / "sweeps" / "toy-0123456789ab"
    (folder / "jobs").mkdir(parents=True)
    record = SweepRecord(name="toy", command="wmframe run -m …", started="2026-11-22T10:00:00+00:00", jobs=tuple(told))
    write_json(folder / "sweep.json", json.loads(json.dumps(asdict(record))))
    for number, run in enumerate(runs, 1):
        write_job(folder, JobRecord(number=number, overrides=told[number - 1], state="finished", run=run.name))
    for job in more:
        if job.state != "waiting":
            write_job(folder, job)
    return folder


def write_job(folder: Path, job: JobRecord) -> None:
    """Write how one job stands."""
    write_json(folder / "jobs" / f"{job.number:04}.json", json.loads(json.dumps(asdict(job))))


def write_many(root: Path, count: int) -> list[Run]:
    """Write `count` runs that differ in four keys, a few of them failed."""
    grid: list[dict[str, Any]] = [
        {"seed": seed, "memory_mixtures": mixtures, "world_temperature": temperature, "search_sigma": sigma}
        for sigma in (0.1, 0.2)
        for seed in range(1, 1 + max(1, count // 18 + 1))
        for mixtures in (1, 2, 5)
        for temperature in (0.5, 1.0, 1.5)
    ][:count]
    return [
        write_run(root, **values) if number % 29 != 28 else write_run(root, state="failed", stages=2, **values)
        for number, values in enumerate(grid)
    ]


def _scores(generator: np.random.Generator) -> dict[str, Any]:
    means = {"reality": generator.uniform(0, 600), "dream": generator.uniform(0, 600), "random": -50.0}
    draws = {world: generator.normal(mean, 60, 16).tolist() for world, mean in means.items()}
    return {world: {"returns": returns, "lengths": [40] * len(returns)} for world, returns in draws.items()}
