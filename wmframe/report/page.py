"""The page: `Contents` in, one HTML file out that needs no script, no network and no other file.

Everything that is text goes through Jinja2's autoescape; only our own drawings (`wmframe.report.curves`) and
the style sheet are markup. A content-security policy forbids the page whatever it does not carry itself. The
same contents give the same bytes. Called by `wmframe report` and at the end of a run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from wmframe.engine.durability.files import write_atomic
from wmframe.report.animation import best_format, encode, side_by_side
from wmframe.report.contents import Canvas, Contents, Curve, DrivenFilm, OpenLoop, Reconstructions, Score, StageRow
from wmframe.report.curves import draw
from wmframe.report.html import fill
from wmframe.report.numbers import decimals, number, significant
from wmframe.report.pictures import data_uri, horizon_steps, pairs, png, reconstruction_error, samples, strip
from wmframe.report.statistics import Summary, summarise
from wmframe.report.story import tell
from wmframe.report.strips import HEIGHT, Axis, Strip, axis_for, strip_for

FPS = 15.0
SHORT_KEY = 10


@dataclass(frozen=True)
class Row:
    """One line of the scoreboard."""

    score: Score
    summary: Summary
    strip: Strip


@dataclass(frozen=True)
class Board:
    """The scoreboard: its rows, their axis, and how many decimals all its numbers have."""

    rows: Sequence[Row]
    axis: Axis
    places: int
    height: int = HEIGHT


@dataclass(frozen=True)
class Drawing:
    """A curve and its picture."""

    curve: Curve
    svg: Markup


@dataclass(frozen=True)
class Film:
    """The open-loop dream: the animation, one still of it for who wants nothing to move, and a film strip."""

    moving: str
    still: str
    width: int
    height: int
    strip: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Driven:
    """An agent driving: who it is, the animation, and one still of it."""

    title: str
    moving: str
    still: str
    width: int
    height: int


@dataclass(frozen=True)
class Pairs:
    """Frames over reconstructions, and their mean absolute error in grey levels."""

    tiles: Sequence[str]
    error: float


@dataclass(frozen=True)
class Sweep:
    """One row of the latent canvas: its picture, which dimension it is, what that carries, and from where to where."""

    picture: str
    dimension: int
    nats: float
    low: float
    high: float


@dataclass(frozen=True)
class Lineage:
    """A stage and where it came from: each parent as (row number or None, what to call it)."""

    row: StageRow
    parents: Sequence[tuple[int | None, str]]


def render(contents: Contents) -> str:
    """Return the page as HTML text."""
    return fill(
        "page.html.jinja",
        "page.css",
        contents=contents,
        story=tell(contents),
        board=_board(contents.scores) if len(contents.scores) > 0 else None,
        measured=[(name, number(value, significant([value], 6))) for name, value in contents.metrics.items()],
        reconstructions=_pairs(contents.reconstructions) if contents.reconstructions is not None else None,
        prior=samples(contents.prior_samples) if contents.prior_samples is not None else None,
        driven=[_driven(film) for film in contents.films],
        film=_film(contents.dream) if contents.dream is not None else None,
        canvas=_swept(contents.canvas) if contents.canvas is not None else None,
        dream_drawings=[_drawing(curve) for curve in contents.dream_curves],
        drawings=[_drawing(curve) for curve in contents.curves],
        lineage=_lineage(contents.stages),
        ran=sum(row.state == "ran" for row in contents.stages),
        computed=sum(row.seconds or 0.0 for row in contents.stages if row.state == "ran"),
        short=SHORT_KEY,
    )


def write(contents: Contents, path: Path) -> Path:
    """Render the page to `path`, whole or not at all. Raises OSError with the old page untouched."""
    html = render(contents)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, html)
    return path


def _board(scores: Sequence[Score]) -> Board:
    returns = [value for score in scores for value in score.returns]
    axis, places = axis_for(returns), decimals(returns)
    rows = []
    for score in scores:
        summary = summarise(score.returns)
        rows.append(Row(score, summary, strip_for(score, summary, axis, places)))
    return Board(rows=rows, axis=axis, places=places)


def _drawing(curve: Curve) -> Drawing:
    return Drawing(curve=curve, svg=draw(curve))


def _pairs(pair: Reconstructions) -> Pairs:
    return Pairs(tiles=pairs(pair.frames, pair.reconstructions), error=reconstruction_error(pair))


def _swept(canvas: Canvas) -> Sequence[Sweep]:
    rows = zip(map(strip, canvas.frames), canvas.dimensions, canvas.nats, canvas.low, canvas.high, strict=True)
    return [Sweep(*row) for row in rows]


def _film(loop: OpenLoop) -> Film:
    frames = list(side_by_side(loop.truth, loop.dream, primed_steps=loop.primed_steps))
    kind = best_format()
    steps = list(horizon_steps(loop))
    names = ["last real frame", *(f"+{step - steps[0]}" for step in steps[1:])]
    return Film(
        moving=data_uri(f"image/{kind.lower()}", encode(frames, fps=FPS, kind=kind)),
        still=png(frames[steps[len(steps) // 2]]),
        width=frames[0].shape[1],
        height=frames[0].shape[0],
        strip=list(zip(pairs(loop.truth[steps], loop.dream[steps]), names, strict=True)),
    )


def _driven(film: DrivenFilm) -> Driven:
    height, width = film.still.shape[:2]
    return Driven(film.title, data_uri(film.kind, film.moving), png(film.still), width, height)


def _lineage(stages: Sequence[StageRow]) -> Sequence[Lineage]:
    rows: Mapping[str, int] = {row.key: index for index, row in enumerate(stages)}
    return [
        Lineage(
            row=row,
            parents=[
                (rows[key], f"{stages[rows[key]].stage} {key[:SHORT_KEY]}") if key in rows else (None, key)
                for key in row.parents
            ],
        )
        for row in stages
    ]
