"""How far a run is, and about how long it will still take.

The nodes of its graph, the project's `Forecast` and what each stage took come in; half a sentence goes out, which
`Progress` shows beside the stage at work. What is missing is judged, stage by stage, by the first of these that there
is: stages of its kind in this run, by their amount; a stored result that was as much work; what its stage says of it,
scaled by what this run's stages took beside it. Called by the runner. Nothing here decides anything.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from wmframe.engine.errors import UserError
from wmframe.engine.graph.forecast import Forecast
from wmframe.engine.graph.node import Node
from wmframe.engine.graph.work import Work, work_of
from wmframe.engine.tracking.progress import Bar

_SETTLED: Final = 10.0
_SETTLED_SHARE: Final = 0.2
"""Seconds, or a share of its work, after which a stage's rate is believed: its first steps are not like the others."""


@dataclass(frozen=True)
class _Stage:
    """A stage to come: how much work it is, and what it will take by a stored result; None where not known."""

    work: Work | None
    stored: float | None
    missing: bool


@dataclass(frozen=True)
class _Timed:
    """Work that this run has done, and the seconds that it took."""

    work: Work
    seconds: float


class Outlook:
    """Follows one run: tell it when stages `begin` and `end`, ask for a `line`, or for the seconds `left`."""

    def __init__(self, nodes: Sequence[Node], forecast: Forecast) -> None:
        self._names = [node.name for node in nodes]
        self._stages = {node.name: _stage(node, forecast) for node in nodes}
        self._timed: dict[str, _Timed] = {}
        self._current = ""
        self._bar: Bar | None = None

    def begin(self, name: str) -> None:
        """Say that a stage is next."""
        self._current, self._bar = name, None

    def end(self, name: str, seconds: float | None) -> None:
        """Say that a stage's result is there, and what it took; None if it was there already."""
        stage, bar = self._stages[name], self._bar
        if seconds is not None and stage.work is not None:
            begun = bar.start / bar.total if bar is not None and bar.total else 0.0
            before = self._timed.get(stage.work.kind, _Timed(_part_of(stage.work, 0), 0.0))
            done = _part_of(stage.work, 1 - begun)
            done = replace(done, seconds=done.seconds + before.work.seconds)
            self._timed[done.kind] = _Timed(done, before.seconds + seconds)
        self._stages[name] = replace(stage, missing=False)

    def line(self, bar: Bar) -> str:
        """Return where the run stands, `bar` being the stage at work: "stage 3 of 24, about 17 min left"."""
        self._bar = bar
        place = f"stage {self._names.index(self._current) + 1} of {len(self._names)}"
        seconds, unknown = self.left(bar)
        if seconds is None:
            return place
        return f"{place}, {told(seconds, 'more than' if unknown else 'about' if self._judged(bar) else 'perhaps')} left"

    def left(self, bar: Bar) -> tuple[float | None, bool]:
        """Return the seconds that can be told of, None for none, and whether there are stages that nobody can judge."""
        timed = [*self._timed.values(), *self._running(bar)]
        to_come = [
            _expected(stage, timed) for name, stage in self._stages.items() if stage.missing and name != self._current
        ]
        judged = [self._own(bar, timed), *to_come]
        known = [seconds for seconds in judged if seconds is not None]
        return (sum(known) if known else None), len(known) < len(judged)

    def _judged(self, bar: Bar) -> bool:
        """Tell whether anything that was timed on this machine stands behind the figure."""
        at_work = [stage for name, stage in self._stages.items() if stage.missing or name == self._current]
        return bool(self._timed or self._running(bar)) or all(stage.stored is not None for stage in at_work)

    def _running(self, bar: Bar) -> list[_Timed]:
        """Return what the stage at work has done, once its pace tells something."""
        work = self._stages[self._current].work
        if work is None or not bar.total or not _settled(bar):
            return []
        return [_Timed(_part_of(work, (bar.done - bar.start) / bar.total), bar.elapsed())]

    def _own(self, bar: Bar, timed: Sequence[_Timed]) -> float | None:
        """Return what the stage at work will still take: by its own rate, as its line says, once that has settled."""
        rate, expected = bar.rate(), _expected(self._stages[self._current], timed)
        if bar.total is None:
            return None if expected is None else max(0.0, expected - bar.elapsed())
        if rate is not None and (_settled(bar) or expected is None):
            return max(0, bar.total - bar.done) / rate
        return None if expected is None else expected * max(0.0, 1 - bar.done / max(bar.total, 1))


def _settled(bar: Bar) -> bool:
    """Tell whether what a stage has done says how fast it is."""
    share = (bar.done - bar.start) / bar.total if bar.total else 0.0
    return bar.rate() is not None and (bar.elapsed() >= _SETTLED or share >= _SETTLED_SHARE)


def _stage(node: Node, forecast: Forecast) -> _Stage:
    try:
        missing = forecast.is_missing(node)
        cost = forecast.cost(node) if missing else None
    except (OSError, UserError):  # another run changes the store meanwhile: less is known, and nothing is lost
        missing, cost = True, None
    return _Stage(work_of(node), None if cost is None else cost.seconds, missing)


def _part_of(work: Work, share: float) -> Work:
    return replace(work, seconds=share * work.seconds)


def _expected(stage: _Stage, timed: Sequence[_Timed]) -> float | None:
    """Return the seconds of a whole stage, None if nothing tells of them."""
    work = stage.work
    own_pace = None if work is None else _pace(timed, lambda other: other.kind == work.kind)
    if work is None or (own_pace is None and stage.stored is not None):
        return stage.stored
    if own_pace is None:
        own_pace = _pace(timed, lambda other: other.simulated == work.simulated) or _pace(timed, lambda _: True) or 1.0
    return own_pace * work.seconds


def _pace(timed: Sequence[_Timed], alike: Callable[[Work], bool]) -> float | None:
    """Return how many times the table's seconds were taken by work that is `alike`; None if none was done."""
    done = [one for one in timed if alike(one.work)]
    by_table = sum(one.work.seconds for one in done)
    return sum(one.seconds for one in done) / by_table if by_table > 0 else None


def told(seconds: float, about: str) -> str:
    """Return a duration that nobody knows well, in as few figures as it deserves: "about 17 min"."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 90:
        return f"{about} {10 * round(seconds / 10)} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{about} {minutes} min"
    minutes = 5 * round(minutes / 5)
    return f"{about} {minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")
