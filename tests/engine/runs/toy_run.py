"""A finished run of the toy, made by hand: networks as they were initialised, nothing trained."""

from dataclasses import replace
from pathlib import Path

import torch

from wmframe.cli.prepare import EXPERIMENT
from wmframe.controller.contract import Controller
from wmframe.engine.config.bind import Component, bind
from wmframe.engine.config.building import Built, build_as
from wmframe.engine.config.compose import compose
from wmframe.engine.graph.recipe import nodes_of
from wmframe.engine.runs.runs import Run, RunRecord, RunState, StageRecord, create_run
from wmframe.engine.store.artefact import Request
from wmframe.engine.store.store import Store
from wmframe.memory.contract import Memory
from wmframe.stages.models import STARTS, agent_parts, save_controller, save_module
from wmframe.vision.contract import Vision
from wmframe.worlds.starts import StartStates

HORIZON = 10


DREAMING = (f"world.horizon={HORIZON}", "world.done_rule=never")
_SMALL = ("env=toy", "tracker=none", "vision.latent_size=8", "vision.width=4", "memory.hidden_size=16")


def toy_run(root: Path, *overrides: str, finished: bool = True) -> Run:
    """Write a run under `root`: its agent, if it is finished, and nothing else."""
    experiment = bind(compose([*_SMALL, *overrides]), target=EXPERIMENT)
    torch.manual_seed(0)

    def produce(work: Path) -> None:
        for part, folder in agent_parts(work / "output")._asdict().items():
            folder.mkdir()
            _save(experiment, part, folder)

    records = []
    if finished:
        made = Store(root / "artefacts").obtain(Request(stage="agent", code_version=1, config={"toy": 1}), produce)
        record = StageRecord(name="agent", stage="agent", key=made.key, state="ran", seconds=0.0)
        records.append(replace(record, publishes="agent"))
    run = create_run(root, "toy", experiment, nodes_of(experiment))
    state: RunState = "finished" if finished else "failed"
    run.write(RunRecord(command="wmframe run env=toy", state=state, started="", stages=tuple(records)))
    return run


def _save(experiment: Component, part: str, folder: Path) -> None:
    component = _component(experiment, part)
    if part == "vision":
        save_module(_built(component, Vision), component, folder)
    elif part == "memory":
        save_module(_built(component, Memory), component, folder)
    else:
        controller = _built(component, Controller)
        save_controller(torch.zeros(controller.size), component, folder)
        if _component(experiment, "world").target.endswith(".DreamSettings"):
            memory = _built(_component(experiment, "memory"), Memory)
            mu, logvar = torch.randn(2, 4, memory.latent_size)
            StartStates(mu, logvar, memory.pack(memory.initial(4))).save(folder / STARTS)


def _component(experiment: Component, name: str) -> Component:
    component = experiment.arguments[name]
    assert isinstance(component, Component)
    return component


def _built(component: Component, kind: type[Built]) -> Built:
    return build_as(component, kind, allowed=("wmframe",), path="toy")
