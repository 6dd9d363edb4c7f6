"""A driver filmed: awake, the real frame beside what V makes of it; asleep, the dream as V paints it.

A run comes in, a video file goes out. Called by `wmframe watch`, and for a run's last film. Legend: T steps.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from wmframe.agents.agent import load_agent
from wmframe.engine.runs.runs import Run
from wmframe.envs.batch import SerialBatch
from wmframe.envs.spec import EnvSpec
from wmframe.report.animation import panels, write_animation
from wmframe.report.contents import Frames, in_colour
from wmframe.worlds.contract import Step, World
from wmframe.worlds.driver import Driver

_SCALE = 4

Rewards = npt.NDArray[np.float32]


def film(run: Run, *, world: str, seed: int, steps: int, fps: int, out: Path, allowed: Sequence[str]) -> Path:
    """Let a run's driver drive for at most `steps` in "reality" or its "dream", and write a video of it."""
    agent = load_agent(run, allowed=allowed)
    driver = agent.driver
    if world == "dream":
        asleep = agent.dream(horizon=steps)
        painted = np.concatenate([_painted(driver, asleep.latent) for _ in _drive(asleep, driver, seed, steps)])
        return write_animation(out, panels({"dream": painted}, primed_steps=0, scale=_SCALE), fps)
    frames, _ = real_episode(driver, agent.env.reference(), seed, steps)
    columns = {"reality": in_colour(frames), "as V sees it": _as_seen(driver, frames)}
    return write_animation(out, panels(columns, primed_steps=len(frames), scale=_SCALE), fps)


def real_episode(driver: Driver, env: EnvSpec, seed: int, steps: int) -> tuple[Frames, Rewards]:
    """Drive one episode of at most so many steps; return its frames (T + 1, H, W, channels) and rewards (T,)."""
    with SerialBatch(env) as batch:
        world = driver.awake(batch)
        seen = [step.shown() for step in _drive(world, driver, seed, steps)]
    return np.stack([step.frames[0] for step in seen]), np.array([step.rewards[0] for step in seen[1:]], np.float32)


@torch.inference_mode()
def _drive(world: World, driver: Driver, seed: int, steps: int) -> Iterator[Step]:
    """Drive one episode, yielding before its first step and after every one."""
    act = driver.act()
    step = world.reset([seed])
    yield step
    for _ in range(steps):
        step = world.step(act(step.features))
        yield step
        if bool(step.done.all()):
            return


@torch.inference_mode()
def _as_seen(driver: Driver, frames: Frames) -> Frames:
    return _painted(driver, driver.vision.encode(torch.from_numpy(frames)).mu)


@torch.inference_mode()
def _painted(driver: Driver, latents: Tensor) -> Frames:
    """Decode latents (T, Z) to frames (T, H, W, 3). A consumer of `_drive` is outside its inference mode."""
    return in_colour(driver.vision.decode(latents).numpy())
