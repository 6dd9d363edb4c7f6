"""Fit V on the recorded frames (paper, appendix A.1).

Collections' folders come in; V's config and weights go out.
"""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from torch.utils.data import IterableDataset

from wmframe.data.episodes import EpisodeReader
from wmframe.data.frame_batches import FrameBatches
from wmframe.engine.runs.context import StageContext
from wmframe.stages.fit import Precision, fit
from wmframe.stages.models import save_module
from wmframe.vision.contract import Vision


def run(
    context: StageContext,
    *,
    vision: Vision,
    seed: int,
    precision: Precision,
    episodes: Mapping[int, Path],
    later_share: float | None = None,
) -> None:
    """Fit V on all but the held-out episodes, save it."""
    with closing(EpisodeReader([*episodes.values()])) as reader:

        def frames(numbers: list[int], start: int, stop: int) -> IterableDataset[Any]:
            return FrameBatches(
                reader,
                numbers,
                batch_size=vision.batch_size,
                seed=seed,
                start=start,
                stop=stop,
                later_share=later_share or 0.0,
            )

        fit(vision, vision.steps, frames, reader.split(), context, seed=seed, precision=precision)
    save_module(vision, context.component("vision"), context.output)
