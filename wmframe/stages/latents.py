"""Encode every recorded frame once: mu and logvar, never a sample (authors' code, `series.py`).

A vision's and a collection's folders come in; `EncodedEpisodes` go out.
"""

from contextlib import closing

import numpy as np
import torch

from wmframe import faults, stopping
from wmframe.data.episodes import EpisodeReader
from wmframe.stages.models import load_vision
from wmframe.stages.task import Task
from wmframe.vision.contract import Vision

_TILE = 256
"""Frames encoded at once."""


def run(task: Task) -> None:
    """Build V, encode episode after episode into memory-mapped arrays, save them."""
    vision = load_vision(task.inputs["vision"], allowed=task.allowed, device=task.machine.device)
    with closing(EpisodeReader([task.inputs["collect"]])) as reader:
        starts = np.cumsum([0, *(episode.steps + 1 for episode in reader.episodes)], dtype=np.int64)
        rows, actions = int(starts[-1]), reader.steps(0).actions.shape[1]
        shapes = {
            "mu": ((rows, vision.latent_size), np.float16),
            "logvar": ((rows, vision.latent_size), np.float16),
            "actions": ((rows, actions), np.float32),
            "rewards": ((rows,), np.float32),
            "done": ((rows,), np.float32),
        }
        arrays = {
            name: np.lib.format.open_memmap(task.output / f"{name}.npy", "w+", dtype, shape)
            for name, (shape, dtype) in shapes.items()
        }
        with task.progress.stage(task.name, total=rows, unit="frames") as bar:
            for number, start in enumerate(starts[:-1]):
                steps, frames = reader.steps(number), reader.frames(number)
                stop = int(start) + len(steps.rewards)
                arrays["mu"][start : stop + 1], arrays["logvar"][start : stop + 1] = _encode(vision, frames)
                arrays["actions"][start:stop], arrays["rewards"][start:stop] = steps.actions, steps.rewards
                arrays["done"][stop - 1] = steps.terminated
                bar.update(done=stop + 1)
                faults.reach("latents.episode")
                stopping.check()
    for array in arrays.values():
        array.flush()
    np.save(task.output / "starts.npy", starts)


@torch.inference_mode()
def _encode(vision: Vision, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    parts = [vision.encode(part.to(vision.device)) for part in torch.split(torch.from_numpy(frames), _TILE)]
    mu, logvar = (torch.cat([getattr(part, name) for part in parts]) for name in ("mu", "logvar"))
    return mu.cpu().numpy(), logvar.cpu().numpy()
