from typing import Any

import numpy as np
import pytest

from tests.report.examples import contents, frames, scores
from wmframe.report.contents import Curve, OpenLoop, Reconstructions, Score, Series, StageRow


@pytest.mark.parametrize(
    "wrong", [frames(2)[..., 0], frames(2).astype(np.float32), frames(2)[..., :2], frames(2)[0], frames(2)[:0]]
)
def test_pictures_of_another_shape_or_type_are_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"expected uint8 \(N, H, W, 3\)"):
        Reconstructions(wrong, frames(2))
    with pytest.raises(ValueError, match=r"expected uint8 \(N, H, W, 3\)"):
        OpenLoop(frames(2), wrong, 1)
    with pytest.raises(ValueError, match=r"expected uint8 \(N, H, W, 3\)"):
        contents(prior_samples=wrong)


def test_pairs_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"frames are \(2, 64, 64, 3\), reconstructions \(3, 64"):
        Reconstructions(frames(2), frames(3))
    with pytest.raises(ValueError, match="2 true steps but 3"):
        OpenLoop(frames(2), frames(3), 1)


@pytest.mark.parametrize("primed", [0, -1, 6])
def test_priming_lies_within_the_episode(primed: int) -> None:
    with pytest.raises(ValueError, match="1 to 5"):
        OpenLoop(frames(5), frames(5), primed)
    assert OpenLoop(frames(5), frames(5), 5).primed_steps == 5


@pytest.mark.parametrize("bad", [[], [1.0, float("nan")], [float("inf")]])
def test_a_score_needs_finite_returns(bad: list[float]) -> None:
    with pytest.raises(ValueError, match="at least one return"):
        Score(name="x", label="x", returns=bad, world="reality")


def test_a_score_refuses_seeds_that_do_not_match_and_unknown_worlds() -> None:
    world: Any = "mars"
    with pytest.raises(ValueError, match="2 seeds for 1"):
        Score(name="x", label="x", returns=[1.0], seeds=[0, 1], world="dream")
    with pytest.raises(ValueError, match="mars"):
        Score(name="x", label="x", returns=[1.0], world=world)
    assert Score(name="x", label="x", returns=[1.0], seeds=[0], world="dream").seeds == [0]


def test_a_score_appears_once() -> None:
    with pytest.raises(ValueError, match="every name once"):
        contents(scores=[*scores(), scores()[0]])


def test_series_need_equal_lengths_a_whole_band_and_a_finite_x() -> None:
    with pytest.raises(ValueError, match="equal lengths"):
        Series("x", [0, 1], [0])
    with pytest.raises(ValueError, match="equal lengths"):
        Series("x", [], [])
    with pytest.raises(ValueError, match="equal lengths"):
        Series("x", [0, 1], [0, 1], [0], [0])
    with pytest.raises(ValueError, match="both low and high"):
        Series("x", [0, 1], [0, 1], low=[0, 1])
    with pytest.raises(ValueError, match="finite"):
        Series("x", [0, float("nan")], [0, 1])
    assert np.isnan(Series("x", [0, 1], [0, float("nan")]).y[1])


def test_a_curve_needs_a_line_and_a_stage_a_known_state() -> None:
    state: Any = "failed"
    with pytest.raises(ValueError, match="at least one series"):
        Curve("loss", "x", "y", [])
    with pytest.raises(ValueError, match="failed"):
        StageRow("vision", "k", state, 1.0)
