"""How fast dreams drift from reality: pixel error against step, beside the error of holding still.

In: open-loop dreams. Out: a `Curve`. Called by `gather` and the notebooks. Legend: N dreams, T steps.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from wmframe.report.contents import Curve, Frames, OpenLoop, Series
from wmframe.report.pictures import mean_error

Errors = npt.NDArray[np.float64]


def errors_by_step(truth: Frames, other: Frames) -> Errors:
    """Return (T,), the mean absolute error of each step in grey levels (0-255); inputs uint8 (T, H, W, 3)."""
    return np.array([mean_error(ours, theirs) for ours, theirs in zip(truth, other, strict=True)], np.float64)


def error_by_horizon(loops: Sequence[OpenLoop]) -> Curve:
    """Return the error of M alone and of repeating the last real frame, against steps since that frame.

    At 0, the last real frame, the error of M is that of V. Lines are means over the dreams (at least one), bands the
    middle half of them; a step that fewer than half of the dreams reach is left out. A dream is worth its name as long
    as it lies below the held frame.
    """
    films = [(loop.truth[loop.primed_steps - 1 :], loop.dream[loop.primed_steps - 1 :]) for loop in loops]
    alone = [errors_by_step(truth, dream) for truth, dream in films]
    held = [errors_by_step(truth, np.broadcast_to(truth[0], truth.shape)) for truth, _ in films]
    reached = int(np.median([len(errors) for errors in alone]))
    several = f"Means of {len(loops)} dreams from held-out episodes; band: the middle half. " if len(loops) > 1 else ""
    return Curve(
        title="Error of the dream, by horizon",
        x_label="steps after the last real frame",
        y_label="mean absolute pixel error (grey levels of 255)",
        series=[_summary("M alone", alone, reached), _summary("the last real frame, held", held, reached)],
        note=f"{several}Where M lies below the held frame, the dream foresees more than a frozen picture.",
    )


def _summary(name: str, errors: Sequence[Errors], reached: int) -> Series:
    table = np.full((len(errors), reached), np.nan)
    for row, each in zip(table, errors, strict=True):
        row[: len(each)] = each[:reached]
    x, mean = np.arange(reached), np.nanmean(table, 0)
    return Series(name, x, mean, *np.nanquantile(table, [0.25, 0.75], 0)) if len(errors) > 1 else Series(name, x, mean)
