"""Fewer points of a long curve, such that it looks the same. Called by the page's figures and by the dashboard."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from wmframe.report.contents import Numbers

MAX_POINTS = 2000


def thin(y: Numbers, limit: int = MAX_POINTS) -> npt.NDArray[np.intp]:
    """Return at most `limit` (>= 4) sorted indices of y (T,): first, last, the extremes of equal stretches.

    A spike survives, and a value that is not finite does too, as the gap it is.
    """
    values = np.asarray(y, float)
    if len(values) <= limit:
        return np.arange(len(values))
    edges = np.linspace(0, len(values), (limit - 2) // 2 + 1).astype(int)
    keep = {0, len(values) - 1}
    for start, stop in pairwise(edges):
        keep |= {start + int(np.argmin(values[start:stop])), start + int(np.argmax(values[start:stop]))}
    return np.array(sorted(keep))
