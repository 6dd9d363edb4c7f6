"""Fit M on windows of encoded episodes (paper, appendix A.2).

Latents' folders come in, oldest first, and in later rounds the last round's memory; M's config and weights go out.
"""

from typing import Any

from torch.utils.data import IterableDataset

from wmframe.data.latents import EncodedEpisodes, LatentData
from wmframe.data.windows import Windows
from wmframe.errors import UserError
from wmframe.memory.contract import Memory
from wmframe.stages.fit import fit
from wmframe.stages.models import load_weights, save_module
from wmframe.stages.task import Task


def run(task: Task) -> None:
    """Build M, or take the last round's, fit it on all but the held-out episodes, save it."""
    memory = task.build("memory", Memory)
    if "memory" in task.inputs:
        load_weights(memory, task.inputs["memory"])
    data = LatentData([EncodedEpisodes.load(folder) for folder in task.many("latents")])
    _check_value(memory, data)

    def windows(episodes: list[int], start: int, stop: int) -> IterableDataset[Any]:
        return Windows(
            data,
            episodes,
            batch_size=memory.batch_size,
            length=memory.sequence,
            seed=task.seed,
            start=start,
            stop=stop,
            emphasis=task.emphasis,
            value_steps=memory.value_steps,
            reward_clip=memory.reward_clip,
        )

    fit(memory, memory.steps, windows, data.split(), task)
    save_module(memory, task.component("memory"), task.output)


def _check_value(memory: Memory, data: LatentData) -> None:
    """Raise UserError if no recorded step is far enough from its time limit for the value to be known."""
    longest = max(episode.limit for episode in data.episodes)
    if memory.value_steps >= longest:
        raise UserError(
            f"memory.value_steps={memory.value_steps}: the recorded episodes were cut off after {longest} steps at the "
            "most, so none shows what comes that far ahead. Lower it, or raise the sources' most_steps."
        )
