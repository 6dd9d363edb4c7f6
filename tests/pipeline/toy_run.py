"""A finished run of the toy, made by hand: networks as they were initialised, nothing trained."""

from pathlib import Path

import torch

from wmframe.config.bind import Component, bind
from wmframe.config.compose import compose
from wmframe.controller.contract import Controller
from wmframe.memory.contract import Memory
from wmframe.pipeline.artefact import Request
from wmframe.pipeline.graph import TARGET
from wmframe.pipeline.runs import Run, RunRecord, StageRecord, create_run
from wmframe.pipeline.store import Store
from wmframe.stages.building import Built, build_as
from wmframe.stages.inhabit import STARTS
from wmframe.stages.models import save_controller, save_module
from wmframe.vision.contract import Vision
from wmframe.worlds.starts import StartStates

HORIZON = 10


DREAMING = (f"world.horizon={HORIZON}", "world.done_rule=never")
_SMALL = ("env=toy", "tracker=none", "vision.latent_size=8", "vision.width=4", "memory.hidden_size=16")


def toy_run(root: Path, *overrides: str, stages: tuple[str, ...] = ("vision", "memory", "controller")) -> Run:
    """Write a run under `root`; a second controller, of zeros, stands for a second round."""
    experiment = bind(compose([*_SMALL, *overrides]), target=TARGET)
    torch.manual_seed(0)
    records = []
    for stage in stages:
        records.append(_record(Store(root / "artefacts"), experiment, stage, 1))
    if "controller" in stages:
        records.append(_record(Store(root / "artefacts"), experiment, "controller", 2))
    run = create_run(root, "toy", experiment)
    run.write(RunRecord(command="wmframe run env=toy", state="finished", started="", stages=tuple(records)))
    return run


def _record(store: Store, experiment: Component, stage: str, number: int) -> StageRecord:
    def produce(work: Path) -> None:
        _save(experiment, stage, number, work / "output")

    made = store.obtain(Request(stage=stage, code_version=1, config={"round": number}), produce)
    return StageRecord(name=f"{stage}.{number}", stage=stage, key=made.key, state="ran", seconds=0.0)


def _save(experiment: Component, stage: str, number: int, folder: Path) -> None:
    component = _component(experiment, stage)
    if stage == "vision":
        save_module(_built(component, Vision), component, folder)
    elif stage == "memory":
        save_module(_built(component, Memory), component, folder)
    else:
        controller = _built(component, Controller)
        save_controller(torch.full((controller.size,), 2.0 - number), component, folder)
        if _component(experiment, "world").target.endswith(".DreamSettings"):
            memory = _built(_component(experiment, "memory"), Memory)
            sizes = (memory.latent_size, memory.latent_size, memory.hidden_size, memory.hidden_size)
            StartStates(*(torch.randn(4, size) for size in sizes)).save(folder / STARTS)


def _component(experiment: Component, name: str) -> Component:
    component = experiment.arguments[name]
    assert isinstance(component, Component)
    return component


def _built(component: Component, kind: type[Built]) -> Built:
    return build_as(component, kind, allowed=("wmframe",), path="toy")
