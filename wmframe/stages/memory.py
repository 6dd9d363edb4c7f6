"""Fit M on windows of encoded episodes (paper, appendix A.2).

Latents' folders come in, oldest first, and in later rounds the last round's memory; M's config and weights go out.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch.utils.data import IterableDataset

from wmframe.data.emphasis import Emphasis
from wmframe.data.latents import EncodedEpisodes, LatentData
from wmframe.data.windows import Windows
from wmframe.engine.errors import UserError
from wmframe.engine.runs.context import StageContext
from wmframe.memory.contract import Memory
from wmframe.stages.fit import Precision, fit
from wmframe.stages.models import load_weights, save_module


def run(
    context: StageContext,
    *,
    memory: Memory,
    seed: int,
    precision: Precision,
    latents: Mapping[int, Path],
    later_share: float,
    recency: float | None = None,
    start: Path | None = None,
) -> None:
    """Fit M, from the weights of `start` if there is one, on all but the held-out episodes; save it."""
    if start is not None:
        _continue(memory, start)
    data = LatentData([EncodedEpisodes.load(folder) for folder in latents.values()])
    emphasis = Emphasis.of(later_share, recency)
    _check_value(memory, data)

    def windows(episodes: list[int], start: int, stop: int) -> IterableDataset[Any]:
        return Windows(
            data,
            episodes,
            batch_size=memory.batch_size,
            length=memory.sequence,
            seed=seed,
            start=start,
            stop=stop,
            emphasis=emphasis,
            value_steps=memory.value_steps,
            reward_clip=memory.reward_clip,
        )

    fit(memory, memory.steps, windows, data.split(), context, seed=seed, precision=precision)
    save_module(memory, context.component("memory"), context.output)


def _continue(memory: Memory, start: Path) -> None:
    """Load an M's weights; UserError if it is of another size, as only one from elsewhere may be."""
    try:
        load_weights(memory, start)
    except UserError as error:
        raise UserError(
            f"first.memory=continue: this M cannot continue from the one that there is ({error}). Use the settings of "
            "memory that it was trained with, or first.memory=new."
        ) from error


def _check_value(memory: Memory, data: LatentData) -> None:
    """Raise UserError if no recorded step is far enough from its time limit for the value to be known."""
    longest = max(episode.limit for episode in data.episodes)
    if memory.value_steps >= longest:
        raise UserError(
            f"memory.value_steps={memory.value_steps}: the recorded episodes were cut off after {longest} steps at the "
            "most, so none shows what comes that far ahead. Lower it, or raise the sources' most_steps."
        )
