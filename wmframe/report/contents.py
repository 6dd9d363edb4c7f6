"""Everything the page shows, as plain frozen values; the page reads nothing else.

In: what the `gather` step found in a run folder. Out: `Contents`, checked, for `wmframe.report.page`.
Shapes: N images, T time; a picture is uint8 (H, W, 3), values 0-255.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

Frames = npt.NDArray[np.uint8]
Marks = Literal["line", "dots", "level", "diamonds"]
Numbers = Sequence[float] | npt.NDArray[np.floating] | npt.NDArray[np.integer]


def check_frames(name: str, frames: Frames) -> None:
    """Raise ValueError unless `frames` is uint8 (N, H, W, 3) with N >= 1."""
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3 or len(frames) == 0:
        raise ValueError(f"{name}: expected uint8 (N, H, W, 3), got {frames.dtype} {frames.shape}")


def in_colour(frames: Frames) -> Frames:
    """Return frames (…, H, W, 1 or 3) as people look at them, (…, H, W, 3)."""
    return np.broadcast_to(frames, (*frames.shape[:-1], 3))


@dataclass(frozen=True, kw_only=True)
class Score:
    """The returns of one driver, one number an episode.

    `name` is what the page looks for ("random", "dream" and "reality" tell its story; any other name is one
    more row); `label` is what a person reads. `world` is where the episodes were driven, "" where nobody said; `unit`
    what a return counts. `seeds` and `steps`, if given, are the episodes' seeds and lengths (>= 1) in the order of
    `returns`.
    """

    name: str
    label: str
    returns: Sequence[float]
    world: Literal["dream", "reality", ""]
    seeds: Sequence[int] = ()
    steps: Sequence[int] = ()
    unit: str = "return"
    note: str = ""

    def __post_init__(self) -> None:
        """Raise ValueError for no episodes, a return that is not finite, or seeds that do not match."""
        if len(self.returns) == 0 or not np.all(np.isfinite(self.returns)):
            raise ValueError(f"score {self.name!r}: needs at least one return, all of them finite")
        if len(self.seeds) not in (0, len(self.returns)):
            raise ValueError(f"score {self.name!r}: {len(self.seeds)} seeds for {len(self.returns)} returns")
        if len(self.steps) not in (0, len(self.returns)) or any(steps < 1 for steps in self.steps):
            raise ValueError(f"score {self.name!r}: needs {len(self.returns)} lengths of at least 1")
        if self.world not in ("dream", "reality", ""):
            raise ValueError(f"score {self.name!r}: world is 'dream', 'reality' or '', not {self.world!r}")


@dataclass(frozen=True)
class Series:
    """One line of a curve: y over x, with a band from `low` to `high` if both are given.

    All are of one length >= 1; x is finite; y and the band may hold NaN or infinity, drawn as a gap. `marks` is how the
    points are drawn: joined, each alone, or as a level that is no measurement of this x. `colour` is the number of
    a line's colour, by default the next one. One without a name is not in the legend.
    """

    name: str
    x: Numbers
    y: Numbers
    low: Numbers | None = None
    high: Numbers | None = None
    marks: Marks = "line"
    colour: int | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for lengths that differ, half a band, or an x that is not finite."""
        if (self.low is None) != (self.high is None):
            raise ValueError(f"series {self.name!r}: a band needs both low and high")
        columns = [np.asarray(v, float) for v in (self.x, self.y, self.low, self.high) if v is not None]
        if any(c.ndim != 1 or len(c) != len(columns[0]) or len(c) == 0 for c in columns):
            raise ValueError(f"series {self.name!r}: needs equal lengths >= 1, got {[c.shape for c in columns]}")
        if not np.all(np.isfinite(columns[0])):
            raise ValueError(f"series {self.name!r}: x must be finite")


@dataclass(frozen=True)
class Curve:
    """One figure: its lines share both axes. `note` is a sentence under it.

    `stacked` series are shares of one whole, over one x: drawn as layers, each on top of the one before.
    `x_ticks`, if given, are the only ones; `x_log` spaces x (> 0) by ratios.
    """

    title: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    note: str = ""
    x_ticks: Sequence[float] = ()
    x_log: bool = False
    stacked: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError for a figure without a line."""
        if len(self.series) == 0:
            raise ValueError(f"curve {self.title!r}: needs at least one series")


@dataclass(frozen=True, eq=False)
class Reconstructions:
    """Real frames and what V makes of them, both uint8 (N, H, W, 3), index by index."""

    frames: Frames
    reconstructions: Frames

    def __post_init__(self) -> None:
        """Raise ValueError for wrong types or shapes that differ."""
        check_frames("frames", self.frames)
        check_frames("reconstructions", self.reconstructions)
        if self.frames.shape != self.reconstructions.shape:
            raise ValueError(f"frames are {self.frames.shape}, reconstructions {self.reconstructions.shape}")


@dataclass(frozen=True, eq=False)
class OpenLoop:
    """A real episode and M's dream of it, both uint8 (T, H, W, 3), step by step.

    Steps 0 ... primed_steps - 1 of `dream` were filtered from real frames; from step `primed_steps` on M went
    on alone with the recorded actions. 1 <= primed_steps <= T.
    """

    truth: Frames
    dream: Frames
    primed_steps: int

    def __post_init__(self) -> None:
        """Raise ValueError for wrong types, shapes that differ, or priming outside the episode."""
        check_frames("truth", self.truth)
        check_frames("dream", self.dream)
        if self.truth.shape != self.dream.shape:
            raise ValueError(f"{len(self.truth)} true steps but {len(self.dream)} dreamt ones")
        if not 1 <= self.primed_steps <= len(self.truth):
            raise ValueError(f"primed_steps: 1 to {len(self.truth)}, got {self.primed_steps}")


@dataclass(frozen=True, kw_only=True, eq=False)
class DrivenFilm:
    """An agent driving: who it is, the animation as a WebP or GIF file, and one frame of it (H, W, 3)."""

    title: str
    moving: bytes
    still: Frames

    def __post_init__(self) -> None:
        """Raise ValueError for what is no animation of ours, or a still that is no picture."""
        if not self.moving.startswith((b"GIF8", b"RIFF")):
            raise ValueError(f"film {self.title!r}: neither WebP nor GIF")
        if self.still.dtype != np.uint8 or self.still.ndim != 3 or self.still.shape[-1] != 3:
            raise ValueError(f"film {self.title!r}: its still is no picture")

    @property
    def kind(self) -> str:
        """The media type of the animation."""
        return "image/gif" if self.moving.startswith(b"GIF8") else "image/webp"


@dataclass(frozen=True, eq=False)
class Canvas:
    """Latent traversals: frames (D, S, H, W, 3) uint8, one row for each of D dimensions, swept in S steps.

    `dimensions` are the rows' numbers within z, `nats` the KL that each carries (the most first), `low` and `high`
    where its sweep begins and ends; all of length D. `total` is Z.
    """

    frames: Frames
    dimensions: Sequence[int]
    nats: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    total: int

    def __post_init__(self) -> None:
        """Raise ValueError for wrong types or lengths that differ."""
        if self.frames.ndim != 5:
            raise ValueError(f"canvas: expected (D, S, H, W, 3), got {self.frames.shape}")
        check_frames("canvas", self.frames.reshape(-1, *self.frames.shape[2:]))
        lengths = {len(self.frames), *map(len, (self.dimensions, self.nats, self.low, self.high))}
        if len(lengths) > 1:
            raise ValueError(f"canvas: needs one length, got {sorted(lengths)}")


@dataclass(frozen=True)
class StageRow:
    """One stage of the graph: its artefact's key, whether it was computed now, the keys it was made from."""

    stage: str
    key: str
    state: Literal["cached", "ran"]
    seconds: float | None
    parents: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Raise ValueError for an unknown state."""
        if self.state not in ("cached", "ran"):
            raise ValueError(f"stage {self.stage!r}: state is 'cached' or 'ran', not {self.state!r}")


@dataclass(frozen=True, kw_only=True, eq=False)
class Contents:
    """The whole page.

    `subtitle` is the command that made the run, `metrics` what its stages measured. `canvas` shows what each latent
    dimension says, `dream_curves` what M does when it is left alone, `films` the rounds' agents as they drove.
    `learned_in` says where the controller was trained, `episodes` what this environment calls its episodes, in the
    plural ("tracks"); both are only words of the first sentence. `config` and `provenance` are nested plain values.
    """

    title: str
    subtitle: str
    scores: Sequence[Score] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    curves: Sequence[Curve] = ()
    reconstructions: Reconstructions | None = None
    prior_samples: Frames | None = None
    canvas: Canvas | None = None
    dream: OpenLoop | None = None
    dream_curves: Sequence[Curve] = ()
    films: Sequence[DrivenFilm] = ()
    stages: Sequence[StageRow] = ()
    config: Mapping[str, object] = field(default_factory=dict)
    provenance: Mapping[str, object] = field(default_factory=dict)
    notes: Sequence[str] = ()
    learned_in: Literal["dream", "reality", "both"] | None = None
    episodes: str = "episodes"

    def __post_init__(self) -> None:
        """Raise ValueError for two scores of one name or a wrong sample shape."""
        names = [score.name for score in self.scores]
        if len(set(names)) != len(names):
            raise ValueError(f"scores: every name once, got {names}")
        if self.prior_samples is not None:
            check_frames("prior_samples", self.prior_samples)
