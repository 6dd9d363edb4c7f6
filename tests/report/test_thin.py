import numpy as np
import pytest

from wmframe.report.thin import MAX_POINTS, thin


def test_short_series_are_left_alone() -> None:
    assert thin(np.arange(MAX_POINTS)).tolist() == list(range(MAX_POINTS))


@pytest.mark.parametrize("length", [MAX_POINTS + 1, 12345, 100_000])
def test_long_series_keep_their_ends_their_spikes_and_their_gaps(length: int) -> None:
    y = np.random.default_rng(0).normal(size=length)
    y[length // 3], y[length // 2], y[length // 5] = 50.0, -50.0, np.nan
    keep = thin(y)
    assert len(keep) <= MAX_POINTS
    assert np.all(np.diff(keep) > 0)
    assert {0, length - 1, length // 3, length // 2, length // 5} <= set(keep.tolist())
