"""A driver filmed: awake, the real frame beside what V makes of it; asleep, the dream as V paints it.

A run comes in, a video file goes out. Called by `wmframe watch`. Legend: T steps.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from wmframe.collect.contract import Driver
from wmframe.config.bind import Component
from wmframe.envs.batch import SerialBatch
from wmframe.envs.spec import EnvSpec
from wmframe.errors import UserError
from wmframe.pipeline.runs import Run
from wmframe.report.animation import panels, write_animation
from wmframe.report.contents import Frames
from wmframe.report.gather import open_artefacts
from wmframe.stages.building import build_as
from wmframe.stages.inhabit import STARTS, dream
from wmframe.stages.models import AgentFolders, load_driver
from wmframe.worlds.contract import World
from wmframe.worlds.dream import Dream
from wmframe.worlds.reality import Reality
from wmframe.worlds.rollout import population_act
from wmframe.worlds.settings import DreamSettings, WorldSettings
from wmframe.worlds.starts import StartStates

_SCALE = 4


def film(
    run: Run, *, world: str, seed: int, steps: int, fps: int, out: Path, allowed: Sequence[str]
) -> Path:
    """Let a run's driver drive for at most `steps` in "reality" or its "dream", and write a video of it."""
    newest = {artefact.stage: artefact for artefact in open_artefacts(run, run.record()).values()}
    if not {"vision", "memory", "controller"} <= newest.keys():
        raise UserError(f"{run.name} has no driver yet: it is {run.record().state}", exit_code=1)
    folders = AgentFolders(
        vision=newest["vision"].path, memory=newest["memory"].path, controller=newest["controller"].path
    )
    experiment = run.experiment(allowed)
    settings = _part(experiment, "world", WorldSettings, allowed)
    driver = load_driver(
        folders, sample_latent=settings.sample_latent, allowed=allowed, device=torch.device("cpu")
    )
    if world == "dream":
        if not isinstance(settings, DreamSettings):
            raise UserError(f"{run.name} was not trained in a dream; use world=reality")
        starts = StartStates.load(folders.controller / STARTS)
        asleep = dream(settings, driver.memory, starts, driver.controller.senses)
        seen = [driver.vision.decode(asleep.latent)[0].numpy() for _ in _drive(asleep, driver, seed, steps)]
        return write_animation(out, panels({"dream": np.stack(seen)}, primed_steps=0, scale=_SCALE), fps)
    with _awake(_part(experiment, "env", EnvSpec, allowed), driver) as reality:
        frames = np.stack([reality.observed.frames[0] for _ in _drive(reality, driver, seed, steps)])
    columns = {"reality": frames, "as V sees it": _as_seen(driver, frames)}
    return write_animation(out, panels(columns, primed_steps=len(frames), scale=_SCALE), fps)


@torch.inference_mode()
def _drive(world: World, driver: Driver, seed: int, steps: int) -> Iterator[Tensor]:
    """Drive one episode, yielding before its first step and after every one."""
    act = population_act(driver.controller, driver.parameters[None], 1)
    features = world.reset([seed])
    yield features
    for _ in range(steps):
        step = world.step(act(features))
        features = step.features
        yield features
        if bool(step.done.all()):
            return


@contextmanager
def _awake(spec: EnvSpec, driver: Driver) -> Iterator[Reality]:
    with SerialBatch(spec.reference()) as batch:
        yield Reality(
            batch=batch,
            vision=driver.vision,
            memory=driver.memory,
            senses=driver.controller.senses,
            sample_latent=driver.sample_latent,
        )


@torch.inference_mode()
def _as_seen(driver: Driver, frames: Frames) -> Frames:
    painted: Frames = driver.vision.decode(driver.vision.encode(torch.from_numpy(frames)).mu).numpy()
    return painted


def _part(experiment: Component, name: str, kind: type, allowed: Sequence[str]):  # type: ignore[no-untyped-def]  # noqa: ANN202
    component = experiment.arguments[name]
    assert isinstance(component, Component)  # noqa: S101  # binding has seen to it
    return build_as(component, kind, allowed=allowed, path=name)


__all__ = ["Dream", "film"]
