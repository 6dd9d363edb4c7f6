import re

import numpy as np
import pytest

from tests.report.examples import HOSTILE
from wmframe.report.contents import Curve, Series
from wmframe.report.curves import LINES, draw, style_of


def curve(*series: Series, title: str = "loss") -> Curve:
    return Curve(title, "step", "loss", series)


def test_the_drawing_is_deterministic_and_bare() -> None:
    line = Series("train", np.arange(50.0), np.arange(50.0) ** 2, np.zeros(50), np.full(50, 3000.0))
    svg = draw(curve(line))
    assert svg == draw(curve(line))
    assert svg.startswith('<svg viewBox="')
    for forbidden in ("http", "xmlns", "<?xml", "<!DOCTYPE", "metadata", 'id="figure', "DejaVu"):
        assert forbidden not in svg


def test_every_colour_is_a_variable_of_the_page() -> None:
    lines = [Series(str(index), [0.0, 1.0], [index, index]) for index in range(LINES)]
    svg = draw(curve(*lines))
    assert not re.search(r"(stroke|fill): #", svg)
    assert {f"var(--line-{index})" in svg for index in range(LINES)} == {True}
    assert "var(--ink)" in svg
    assert "var(--grid)" in svg


def test_no_text_of_the_user_enters_the_drawing() -> None:
    dollars = f"$\\frac{{1}}$ {HOSTILE}"
    svg = draw(Curve(dollars, dollars, dollars, [Series(dollars, [0.0, 1.0], [0.0, 1.0])], dollars))
    assert "script" not in svg
    assert "frac" not in svg


def test_values_that_are_not_finite_become_gaps() -> None:
    hole = Series("x", np.arange(6.0), [0.0, 1.0, np.nan, np.inf, 1.0, 2.0])
    path = re.search(r'<path d="(M [^"]*)" clip-path[^>]*line-0', draw(curve(hole)).replace("\n", " "))
    assert path is not None
    assert path.group(1).count("M ") == 2


@pytest.mark.parametrize("y", [[5.0], [np.nan], [0.0], [1e-30], [1e30]])
def test_a_lone_point_is_drawn(y: list[float]) -> None:
    svg = draw(curve(Series("x", [0.0], y)))
    assert ("<use" in svg) == bool(np.isfinite(y[0]))


def test_series_beyond_the_palette_are_dashed() -> None:
    assert [style_of(index) for index in (0, LINES - 1, LINES)] == [(0, False), (LINES - 1, False), (0, True)]


def test_layers_lie_on_each_other_in_the_colours_of_their_legend() -> None:
    x = np.arange(10.0)
    layers = [Series("a", x, 1 - x / 10), Series("b", x, x / 10)]
    stacked = draw(Curve("shares", "step", "share", layers, stacked=True))
    assert stacked.count('style="fill: var(--line-') == len(layers)
    assert [f"var(--line-{index})" in stacked for index in range(3)] == [True, True, False]
    assert "stroke: var(--line-" not in stacked
