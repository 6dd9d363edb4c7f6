"""Open the world that a config names, from a task's artefacts. Called by the controller and evaluate stages."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wmframe.controller.contract import Controller, Senses
from wmframe.data.latents import EncodedEpisodes, LatentData
from wmframe.data.seeds import draw_seeds
from wmframe.envs.spec import EnvSpec
from wmframe.memory.contract import Memory
from wmframe.stages.first_driver import check_it_fits
from wmframe.stages.models import STARTS, load_memory, load_vision
from wmframe.stages.task import Task
from wmframe.worlds.contract import World
from wmframe.worlds.dream import Dream
from wmframe.worlds.reality import Reality
from wmframe.worlds.settings import DreamSettings, RealitySettings, WorldSettings
from wmframe.worlds.starts import StartStates, fresh_starts, warmed_starts


@contextmanager
def training_world(task: Task, controller: Controller) -> Iterator[World]:
    """Open the world that C is searched in; a dream's start states are drawn and saved with C.

    A C that goes on awake keeps those that it dreamt from, so that it can still be watched dreaming.
    """
    settings = task.build("world", WorldSettings)
    memory = load_memory(task.driver["memory"], allowed=task.allowed, device=task.machine.device)
    if isinstance(settings, DreamSettings):
        file = task.output / STARTS
        if not file.is_file():
            draw_starts(task, settings, memory).save(file)
            task.kept.add(file)
        yield dream(settings, memory, StartStates.load(file, memory), controller.senses)
        return
    if not isinstance(settings, RealitySettings):
        raise TypeError(f"world: {type(settings).__name__} is neither a dream nor reality")
    if "agent" in task.inputs:
        check_it_fits(task.inputs["agent"], memory, task.build("env", EnvSpec))
    if "controller" in task.driver and (dreamt_from := task.driver["controller"] / STARTS).is_file():
        shutil.copyfile(dreamt_from, task.output / STARTS)
    vision = load_vision(task.driver["vision"], allowed=task.allowed, device=task.machine.device)
    with task.environments_apart() as (first, *others):
        yield Reality(
            batch=first,
            others=others,
            vision=vision,
            memory=memory,
            senses=controller.senses,
            sample_latent=settings.sample_latent,
            most_steps=settings.most_steps,
        )


def dream(settings: DreamSettings, memory: Memory, starts: StartStates, senses: Senses) -> Dream:
    """Make the dream that the settings describe."""
    return Dream(
        memory=memory,
        starts=starts,
        senses=senses,
        horizon=settings.horizon,
        temperature=settings.temperature,
        done_rule=settings.done_rule,
        bootstrap=settings.bootstrap,
    )


def draw_starts(task: Task, settings: DreamSettings, memory: Memory) -> StartStates:
    """Draw the states that dreams start from, out of the task's latents."""
    folders: list[Path] = task.many("latents")
    data = LatentData([EncodedEpisodes.load(folder) for folder in folders])
    seed = draw_seeds("train", (task.seed, "starts"), 1)[0]
    if settings.start == "fresh":
        return fresh_starts(memory, data, count=settings.starts, seed=seed)
    return warmed_starts(
        memory,
        data,
        count=settings.starts,
        seed=seed,
        skip=settings.skip,
        emphasis=task.emphasis,
        start_pay=task.number("start_pay") if "start_pay" in task.config else None,
    )
