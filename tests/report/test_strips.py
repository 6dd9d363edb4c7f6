import pytest

from tests.report.examples import scores
from wmframe.report.contents import Score
from wmframe.report.statistics import summarise
from wmframe.report.strips import HEIGHT, MARGIN, axis_for, strip_for


def score(*values: float) -> Score:
    return Score(name="x", label="x", returns=values, world="reality")


def test_the_axis_holds_every_return_and_every_tick() -> None:
    axis = axis_for([-112.3, 1013.0])
    assert axis.low <= -112.3
    assert axis.high >= 1013
    assert axis.place(axis.low) == MARGIN
    assert axis.place(axis.high) == 100 - MARGIN
    assert [text for _, text in axis.marks()][:3] == ["−250", "0", "250"]


@pytest.mark.parametrize("value", [0.0, 5.0, -3.0, 1e-12, 1e12])
def test_equal_returns_still_have_an_axis(value: float) -> None:
    axis = axis_for([value, value])
    assert axis.low < value < axis.high
    assert MARGIN < axis.place(value) < 100 - MARGIN


def test_every_episode_is_one_dot_in_order_with_its_seed() -> None:
    real = scores()[0]
    axis = axis_for(real.returns)
    strip = strip_for(real, summarise(real.returns), axis, 0)
    assert [dot.x for dot in strip.dots] == [axis.place(value) for value in real.returns]
    assert strip.dots[0].title.startswith("seed 1000: ")
    assert strip.low < strip.mean < strip.high


def test_equal_returns_are_stacked_inside_the_strip() -> None:
    many = score(*[1.0] * 100)
    strip = strip_for(many, summarise(many.returns), axis_for(many.returns), 0)
    heights = [dot.y for dot in strip.dots]
    assert heights[0] == HEIGHT // 2
    assert len(set(heights)) == 7
    assert min(heights) >= 4
    assert max(heights) <= HEIGHT - 4
    assert strip.dots[99].title == "episode 100: 1"


def test_the_spread_stays_on_the_axis() -> None:
    two = score(0.0, 100.0)
    axis = axis_for(two.returns)
    strip = strip_for(two, summarise(two.returns), axis, 0)
    assert axis.place(axis.low) <= strip.low
    assert strip.high <= axis.place(axis.high)
