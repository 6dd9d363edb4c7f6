"""Encode every recorded frame once: mu and logvar, never a sample (authors' code, `series.py`).

A vision's and a collection's folders come in; `EncodedEpisodes` go out.
"""

from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from wmframe.data.arrays import ArrayWriter
from wmframe.data.episodes import EpisodeReader, Steps
from wmframe.engine.durability import failpoints, signals
from wmframe.engine.runs.context import StageContext
from wmframe.stages.models import load_vision
from wmframe.vision.contract import Vision

_TILE = 256
"""Frames encoded at once."""


def run(context: StageContext, *, vision: Path, episodes: Path) -> None:
    """Build V, encode episode after episode into arrays on disk, save them."""
    encoder = load_vision(vision, allowed=context.allowed, device=context.machine.device)
    with closing(EpisodeReader([episodes])) as reader, ExitStack() as files:
        starts = np.cumsum([0, *(episode.steps + 1 for episode in reader.episodes)], dtype=np.int64)
        rows, actions = int(starts[-1]), reader.steps(0).actions.shape[1]
        shapes: dict[str, tuple[tuple[int, ...], npt.DTypeLike]] = {
            "mu": ((rows, encoder.latent_size), np.float16),
            "logvar": ((rows, encoder.latent_size), np.float16),
            "actions": ((rows, actions), np.float32),
            "rewards": ((rows,), np.float32),
            "done": ((rows,), np.float32),
            "starts": (starts.shape, np.int64),
            "seeds": ((len(reader.episodes),), np.int64),
            "limits": ((len(reader.episodes),), np.int64),
        }
        arrays = {
            name: files.enter_context(ArrayWriter(context.output / f"{name}.npy", dtype, shape))
            for name, (shape, dtype) in shapes.items()
        }
        arrays["starts"].write(starts)
        arrays["seeds"].write(np.array([episode.seed for episode in reader.episodes], np.int64))
        arrays["limits"].write(np.array([episode.limit for episode in reader.episodes], np.int64))
        with context.progress.stage(context.name, total=rows, unit="frames") as bar:
            for number in range(len(reader.episodes)):
                for name, part in _rows(encoder, reader.steps(number), reader.frames(number)).items():
                    arrays[name].write(part)
                bar.update(done=int(starts[number + 1]))
                failpoints.reach("latents.episode")
                signals.check()


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
