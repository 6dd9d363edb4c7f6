"""Curves as inline SVG: matplotlib draws lines and tick numbers, the page writes every word around them.

In: a `Curve`. Out: one `<svg>` that takes its colours from the page's CSS variables, so that it is readable
in light and dark, and holds no text of the user's. Called by `wmframe.report.page`.
"""

import io
import re
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, Formatter, MaxNLocator, NullLocator

from wmframe.report.contents import Curve, Numbers, Series
from wmframe.report.numbers import compact
from wmframe.report.thin import thin

LINES = 6  # colours --line-0 ... --line-5 of the page; further series begin again, dashed
WIDTH, HEIGHT = 5.6, 3.1  # inches: at the page's column width a tick number is as large as a caption
# colours that stand for a CSS variable until the drawing is done; no other colour is ever drawn
INK, GRID = "#01fe01", "#02fe02"
SERIES = tuple(f"#03fe{index:02x}" for index in range(LINES))

Column = npt.NDArray[np.float64]


class CompactFormatter(Formatter):
    """All ticks of an axis in one unit: matplotlib's own way would put it in a corner, as 1e6."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Write one tick by itself."""
        return compact([x])[0]

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Write the ticks of an axis."""
        return compact(values)


def style_of(index: int) -> tuple[int, bool]:
    """Return (colour number, dashed) of the series at this index; the legend uses the same."""
    return index % LINES, index >= LINES


def look_of(index: int, series: Series) -> tuple[int, str]:
    """Return (colour number, how the page's legend draws it) of the series at this index."""
    colour, dashed = style_of(index if series.colour is None else series.colour)
    return colour, "dashed" if dashed and series.marks == "line" else series.marks


def draw(curve: Curve) -> Markup:
    """Return the figure as SVG markup. The same curve gives the same characters."""
    # matplotlib takes its settings from the working directory first: `text.usetex` there would start LaTeX.
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update({"svg.hashsalt": f"wmframe {curve.title}", "svg.fonttype": "none"})
        return Markup(_inline(_svg(curve)))  # noqa: S704  numbers and colours of our own only


def _svg(curve: Curve) -> str:
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    if curve.stacked:
        _layers(axes, curve.series)
    else:
        for index, series in enumerate(curve.series):
            _line(axes, index, series)
    _dress(axes, curve)
    buffer = io.StringIO()
    figure.savefig(
        buffer,
        format="svg",
        transparent=True,
        metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")),
    )
    return buffer.getvalue()


def _finite(column: Numbers) -> Column:
    values = np.array(column, float)
    values[~np.isfinite(values)] = np.nan
    return values


def _layers(axes: Axes, series: Sequence[Series]) -> None:
    colours = [SERIES[style_of(index)[0]] for index in range(len(series))]
    axes.stackplot(_finite(series[0].x), *(_finite(each.y) for each in series), colors=colours, alpha=0.8, linewidth=0)


def _line(axes: Axes, index: int, series: Series) -> None:
    number, look = look_of(index, series)
    keep = thin(series.y)
    x, y = _finite(series.x)[keep], _finite(series.y)[keep]
    if series.low is not None and series.high is not None:
        band = (_finite(series.low)[keep], _finite(series.high)[keep])
        axes.fill_between(x, *band, color=SERIES[number], alpha=0.16, linewidth=0)
    # a lone point, or one between two gaps, has no line to show it
    alone = int(np.isfinite(y).sum()) < 3
    style: dict[str, dict[str, Any]] = {
        "line": {"linestyle": "-", "marker": "o" if alone else None, "markersize": 5},
        "dashed": {"linestyle": "--", "marker": "o" if alone else None, "markersize": 5},
        "level": {"linestyle": (0, (2, 2.5))},
        "dots": {"linestyle": "none", "marker": "o", "markersize": 6, "alpha": 0.5, "markeredgewidth": 0},
        "diamonds": {"linestyle": "none", "marker": "D", "markersize": 7, "fillstyle": "none", "markeredgewidth": 1.6},
    }
    axes.plot(x, y, color=SERIES[number], linewidth=1.6, solid_capstyle="round", **style[look])


def _dress(axes: Axes, curve: Curve) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(GRID)
    axes.grid(visible=True, axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=11, labelcolor=INK, pad=6)
    axes.margins(x=0.015, y=0.08)
    axes.patch.set_visible(False)
    for axis, bins in ((axes.xaxis, 6), (axes.yaxis, 5)):
        axis.set_major_locator(MaxNLocator(nbins=bins))
        axis.set_major_formatter(CompactFormatter())
    if curve.x_log:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
    if len(curve.x_ticks) > 0:
        axes.margins(x=0.06)
        axes.xaxis.set_major_locator(FixedLocator(list(curve.x_ticks)))
        axes.xaxis.set_major_formatter(CompactFormatter())


def _inline(svg: str) -> str:
    """Make a stand-alone SVG file a part of an HTML page: no prologue, no namespaces, no ids, CSS colours."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r'^<svg[^>]*(viewBox="[^"]*")[^>]*>', r'<svg \1 aria-hidden="true" focusable="false">', body)
    body = re.sub(r'<g id="[^"]*"', "<g", body)
    names: Sequence[tuple[str, str]] = [(INK, "ink"), (GRID, "grid")]
    for colour, name in [*names, *((colour, f"line-{index}") for index, colour in enumerate(SERIES))]:
        body = body.replace(colour, f"var(--{name})")
    # the page's own type face, with figures of one width
    return re.sub(r"font-family: [^;\"]*;? ?", "", body)
