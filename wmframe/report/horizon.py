"""How fast the dream drifts from reality: pixel error against step, beside the error of holding still.

In: an `OpenLoop`. Out: a `Curve`. Called by `wmframe.report.page`.
"""

import numpy as np
import numpy.typing as npt

from wmframe.report.contents import Curve, Frames, OpenLoop, Series
from wmframe.report.pictures import mean_error

Errors = npt.NDArray[np.float64]


def errors_by_step(truth: Frames, other: Frames) -> Errors:
    """Return (T,), the mean absolute error of each step in grey levels (0-255); inputs uint8 (T, H, W, 3)."""
    return np.array([mean_error(ours, theirs) for ours, theirs in zip(truth, other, strict=True)], np.float64)


def error_by_horizon(loop: OpenLoop) -> Curve:
    """Return the error of V and M while primed, of M alone after it, and of repeating the last real frame.

    The line of M alone begins at the last primed step, so that the two meet. A dream is worth
    its name as long as it lies below the held frame.
    """
    steps, primed = len(loop.truth), loop.primed_steps
    error = errors_by_step(loop.truth, loop.dream)
    x = np.arange(1, steps + 1, dtype=np.float64)
    note = ""
    lines = [Series("filtered from real frames", x[:primed], error[:primed])]
    if primed < steps:
        start = primed - 1
        still = np.broadcast_to(loop.truth[start], loop.truth[start:].shape)
        held = errors_by_step(loop.truth[start:], still)
        lines.append(Series("M alone", x[start:], error[start:]))
        lines.append(Series("the last real frame, held", x[start:], held))
        note = "Where the orange line lies below the grey one, the dream foresees more than a frozen picture."
    return Curve(
        title="Error of the dream, by step",
        x_label="step",
        y_label="mean absolute pixel error (grey levels of 255)",
        series=lines,
        note=note,
    )
