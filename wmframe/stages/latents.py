"""Encode every recorded frame once: mu and logvar, never a sample (authors' code, `series.py`).

A vision's and a collection's folders come in; `EncodedEpisodes` go out.
"""

from contextlib import ExitStack, closing

import numpy as np
import numpy.typing as npt
import torch

from wmframe import faults, stopping
from wmframe.data.arrays import ArrayWriter
from wmframe.data.episodes import EpisodeReader, Steps
from wmframe.stages.models import load_vision
from wmframe.stages.task import Task
from wmframe.vision.contract import Vision

_TILE = 256
"""Frames encoded at once."""


def run(task: Task) -> None:
    """Build V, encode episode after episode into arrays on disk, save them."""
    vision = load_vision(task.inputs["vision"], allowed=task.allowed, device=task.machine.device)
    with closing(EpisodeReader([task.inputs["collect"]])) as reader, ExitStack() as files:
        starts = np.cumsum([0, *(episode.steps + 1 for episode in reader.episodes)], dtype=np.int64)
        rows, actions = int(starts[-1]), reader.steps(0).actions.shape[1]
        shapes: dict[str, tuple[tuple[int, ...], npt.DTypeLike]] = {
            "mu": ((rows, vision.latent_size), np.float16),
            "logvar": ((rows, vision.latent_size), np.float16),
            "actions": ((rows, actions), np.float32),
            "rewards": ((rows,), np.float32),
            "done": ((rows,), np.float32),
            "starts": (starts.shape, np.int64),
            "seeds": ((len(reader.episodes),), np.int64),
            "limits": ((len(reader.episodes),), np.int64),
        }
        arrays = {
            name: files.enter_context(ArrayWriter(task.output / f"{name}.npy", dtype, shape))
            for name, (shape, dtype) in shapes.items()
        }
        arrays["starts"].write(starts)
        arrays["seeds"].write(np.array([episode.seed for episode in reader.episodes], np.int64))
        arrays["limits"].write(np.array([episode.limit for episode in reader.episodes], np.int64))
        with task.progress.stage(task.name, total=rows, unit="frames") as bar:
            for number in range(len(reader.episodes)):
                for name, part in _rows(vision, reader.steps(number), reader.frames(number)).items():
                    arrays[name].write(part)
                bar.update(done=int(starts[number + 1]))
                faults.reach("latents.episode")
                stopping.check()


def _rows(vision: Vision, steps: Steps, frames: np.ndarray) -> dict[str, np.ndarray]:
    """Return an episode's rows, one a frame; the last frame, which nothing followed, has zeros for its action."""
    mu, logvar = _encode(vision, frames)
    done = np.zeros(len(frames), np.float32)
    done[-2] = steps.terminated
    return {
        "mu": mu,
        "logvar": logvar,
        "actions": np.concatenate((steps.actions, np.zeros_like(steps.actions[:1]))),
        "rewards": np.concatenate((steps.rewards, np.zeros_like(steps.rewards[:1]))),
        "done": done,
    }


@torch.inference_mode()
def _encode(vision: Vision, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    parts = [vision.encode(part.to(vision.device)) for part in torch.split(torch.from_numpy(frames), _TILE)]
    mu, logvar = (torch.cat([getattr(part, name) for part in parts]) for name in ("mu", "logvar"))
    return mu.cpu().numpy(), logvar.cpu().numpy()
