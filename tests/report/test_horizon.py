import numpy as np
import pytest

from tests.report.examples import frames
from wmframe.report.contents import OpenLoop
from wmframe.report.horizon import error_by_horizon, errors_by_step


def test_errors_are_mean_absolute_grey_levels() -> None:
    truth = np.zeros((3, 64, 64, 3), np.uint8)
    dream = truth + np.array([0, 10, 255], np.uint8)[:, None, None, None]
    assert errors_by_step(truth, dream).tolist() == [0.0, 10.0, 255.0]
    assert errors_by_step(dream, truth).tolist() == [0.0, 10.0, 255.0]


def test_the_horizon_begins_with_the_last_real_frame() -> None:
    truth, dream = frames(20), frames(20, 1)
    alone, held = error_by_horizon([OpenLoop(truth, dream, 8)]).series
    assert (alone.x[0], alone.x[-1]) == (held.x[0], held.x[-1]) == (0, 12)
    assert np.asarray(alone.y).tolist() == errors_by_step(truth[7:], dream[7:]).tolist()
    assert held.y[0] == 0.0


def test_the_held_frame_is_the_last_real_one() -> None:
    truth = frames(20)
    frozen = truth.copy()
    frozen[8:] = truth[7]
    alone, held = error_by_horizon([OpenLoop(truth, frozen, 8)]).series
    assert np.array_equal(np.asarray(alone.y), np.asarray(held.y))


def test_many_dreams_are_averaged_by_steps_since_the_last_real_frame() -> None:
    dark = np.zeros((10, 64, 64, 3), np.uint8)
    loops = [OpenLoop(dark, dark + np.uint8(error), primed) for error, primed in ((1, 2), (3, 5), (8, 5), (40, 9))]
    curve = error_by_horizon(loops)
    alone = curve.series[0]
    assert alone.y == pytest.approx([13.0] * 2 + [4.0] * 4), "the fourth dream ends, the others go on"
    assert alone.low is not None
    assert alone.high is not None
    assert (alone.low[0], alone.high[0]) == (2.5, 16.0)
    assert "4 dreams" in curve.note


def test_one_dream_has_no_band() -> None:
    curve = error_by_horizon([OpenLoop(frames(5), frames(5), 5)])
    assert curve.series[0].low is None
    assert "band" not in curve.note
