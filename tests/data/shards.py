"""Small recorded data sets whose every frame says which episode and step it is."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from wmframe.data.episodes import Bytes, Floats, ShardWriter


def frame(episode: int, step: int) -> Bytes:
    """A frame whose first pixel holds episode and step, the rest a pattern."""
    picture = np.full((64, 64, 3), (episode * 37 + step * 11) % 256, np.uint8)
    picture[0, 0] = episode, step // 256, step % 256
    return picture


def name_of(picture: Bytes) -> tuple[int, int]:
    """Which (episode, step) a frame is."""
    return int(picture[0, 0, 0]), int(picture[0, 0, 1]) * 256 + int(picture[0, 0, 2])


def actions(episode: int, steps: int) -> Floats:
    return np.random.default_rng(episode).uniform(-1, 1, (steps, 2)).astype(np.float32)


def rewards(episode: int, steps: int) -> Floats:
    return np.arange(steps, dtype=np.float32) + episode


def write(path: Path, lengths: Sequence[int], *, first: int = 0, backend: str = "toy-1") -> Path:
    """Write a shard of episodes of so many steps, side by side as they are recorded; every second one terminated.

    Each has a seed of its own, and a limit of twice its steps.
    """
    with ShardWriter(path, len(lengths)) as writer:
        for lane in range(len(lengths)):
            writer.frame(lane, frame(first + lane, 0))
        for step in range(max(lengths)):
            for lane, steps in enumerate(lengths):
                if step < steps:
                    writer.step(lane, actions(first + lane, steps)[step], float(rewards(first + lane, steps)[step]))
                    writer.frame(lane, frame(first + lane, step + 1))
        for lane in range(len(lengths)):
            known = {
                "seed": 10**9 + first + lane,
                "source": "held",
                "origin": "random",
                "policy": "held",
                "backend": backend,
            }
            writer.finish(lane, {**known, "limit": 2 * lengths[lane], "terminated": lane % 2 == 1})
    return path
