import numpy as np

from tests.report.examples import frames
from wmframe.report.contents import OpenLoop
from wmframe.report.horizon import error_by_horizon, errors_by_step


def test_errors_are_mean_absolute_grey_levels() -> None:
    truth = np.zeros((3, 64, 64, 3), np.uint8)
    dream = truth + np.array([0, 10, 255], np.uint8)[:, None, None, None]
    assert errors_by_step(truth, dream).tolist() == [0.0, 10.0, 255.0]
    assert errors_by_step(dream, truth).tolist() == [0.0, 10.0, 255.0]


def test_the_lines_meet_at_the_last_primed_step() -> None:
    truth = frames(20)
    primed, alone, held = error_by_horizon(OpenLoop(truth, frames(20, 1), 8)).series
    assert (primed.x[0], primed.x[-1], alone.x[0], alone.x[-1]) == (1, 8, 8, 20)
    assert primed.y[-1] == alone.y[0]
    assert held.y[0] == 0.0
    assert np.array_equal(np.asarray(held.x), np.asarray(alone.x))


def test_the_held_frame_is_the_last_real_one() -> None:
    truth = frames(20)
    frozen = truth.copy()
    frozen[8:] = truth[7]
    _, alone, held = error_by_horizon(OpenLoop(truth, frozen, 8)).series
    assert np.array_equal(np.asarray(alone.y), np.asarray(held.y))


def test_an_episode_primed_throughout_has_one_line() -> None:
    curve = error_by_horizon(OpenLoop(frames(5), frames(5), 5))
    assert len(curve.series) == 1
    assert curve.note == ""
