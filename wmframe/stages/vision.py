"""Fit V on the recorded frames (paper, appendix A.1).

Collections' folders come in; V's config and weights go out.
"""

from contextlib import closing
from typing import Any

from torch.utils.data import IterableDataset

from wmframe.data.episodes import EpisodeReader
from wmframe.data.frame_batches import FrameBatches
from wmframe.stages.fit import fit
from wmframe.stages.models import save_module
from wmframe.stages.task import Task
from wmframe.vision.contract import Vision


def run(task: Task) -> None:
    """Build V, fit it on all but the held-out episodes, save it."""
    vision = task.build("vision", Vision)
    with closing(EpisodeReader(task.many("collect"))) as reader:

        def frames(episodes: list[int], start: int, stop: int) -> IterableDataset[Any]:
            return FrameBatches(
                reader,
                episodes,
                batch_size=vision.batch_size,
                seed=task.seed,
                start=start,
                stop=stop,
                later_share=task.emphasis.later_share,
            )

        fit(vision, vision.steps, frames, reader.split(), task)
    save_module(vision, task.component("vision"), task.output)
