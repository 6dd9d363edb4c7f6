"""Sweep folders made by hand: real records and configs, scores that are made up."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from wmframe.cli.prepare import EXPERIMENT
from wmframe.engine.config.ablation import find_ablation
from wmframe.engine.config.bind import Component, bind
from wmframe.engine.config.compose import compose, expand
from wmframe.engine.durability.files import write_json
from wmframe.engine.graph.recipe import nodes_of
from wmframe.engine.runs.runs import RunRecord, StageRecord, create_run
from wmframe.engine.runs.sweeps import JobRecord, Sweep, SweepRecord

RANDOM = [-40.0, -60.0, -50.0, -50.0]


def scores(awake: float, dream: float | None = None, *, seed: int = 0, steps: int = 250) -> dict[str, Any]:
    """Make a run's scores on four episodes, around the means that are asked for."""
    chance = np.random.default_rng(seed)

    def around(mean: float, length: int) -> dict[str, Any]:
        spread = chance.normal(0, 20, 4)
        return {"returns": (mean + spread - spread.mean()).tolist(), "lengths": [length] * 4}

    said = {"reality": around(awake, steps), "random": {"returns": RANDOM, "lengths": [steps] * 4}}
    return said if dream is None else {**said, "dream": around(dream, 50)}


def make_sweep(root: Path, overrides: Sequence[str], outcomes: Sequence[Mapping[str, Any] | str]) -> Sweep:
    """Write a sweep of these overrides; an outcome is a job's scores, why it failed, or a state without a word."""
    return make_jobs(root, expand(overrides), outcomes, command=overrides)


def make_jobs(
    root: Path,
    jobs: Sequence[Sequence[str]],
    outcomes: Sequence[Mapping[str, Any] | str],
    *,
    command: Sequence[str] = (),
) -> Sweep:
    """Write a sweep of these jobs, such as one that is refused by now."""
    ablation = find_ablation(command)
    sweep = Sweep(root / "sweeps" / "made-0123456789ab")
    record = SweepRecord(
        name="made",
        command=f"wmframe run -m {' '.join(command)}",
        started="2026-11-22T10:00:00+00:00",
        jobs=tuple(map(tuple, jobs)),
        ablation=ablation.plain() if ablation is not None else None,
    )
    (sweep.folder / "jobs").mkdir(parents=True)
    write_json(sweep.folder / "sweep.json", asdict(record))
    for number, (told, outcome) in enumerate(zip(jobs, outcomes, strict=False), 1):
        write_job(sweep, number, told, outcome)
    return sweep


@lru_cache
def bound(overrides: tuple[str, ...]) -> Component:
    """Return the experiment of these overrides: composing takes a while, and runs differ in little but their seed."""
    return bind(compose(overrides), target=EXPERIMENT)


def write_job(sweep: Sweep, number: int, told: Sequence[str], outcome: Mapping[str, Any] | str) -> None:
    """Write how one job stands, and its run if it finished."""
    if outcome == "waiting":
        return
    job: dict[str, Any] = {"number": number, "overrides": tuple(told), "state": "finished", "seconds": 60.0 * number}
    if isinstance(outcome, str):
        job |= {"state": "stopped"} if outcome == "stopped" else {"state": "failed", "error": outcome}
    else:
        seed = next((int(o.removeprefix("seed=")) for o in told if o.startswith("seed=")), 0)
        experiment = bound(tuple(o for o in told if not o.startswith("seed="))).with_arguments(seed=seed)
        if any("+seed=" in o for o in told):
            experiment = bound(tuple(told))
        nodes = nodes_of(experiment)
        stages = [StageRecord.of(node, "ran", 1.0) for node in nodes]
        run = create_run(sweep.root, "made", experiment, nodes)
        job["run"] = run.name
        run.write(
            RunRecord(
                command="",
                state="finished",
                started="",
                stages=tuple(stages),
                scores=outcome,
                seeds=(0, 1, 2, 3),
                provenance={"seed": experiment.arguments["seed"]},
            )
        )
    write_json(sweep.folder / "jobs" / f"{number:04}.json", asdict(JobRecord(**job)))
