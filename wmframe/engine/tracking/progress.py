"""What a person sees while a stage works: live lines on a terminal, one plain line every 30 s anywhere else.

Comes in: how far each stage is, and who knows of the whole run. Goes out: lines with percentage, rate and remaining
time. Called by the pipeline, and by stages through the `Bar` they are given. A stream that breaks is left alone:
nobody's training ends because a terminal was closed.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from wmframe.engine.errors import printable

PLAIN_SECONDS = 30.0
LIVE_SECONDS = 0.1


class Bar:
    """How far one stage is. Made by `Progress.stage`; `update` it as often as you like, it draws rarely."""

    def __init__(
        self,
        *,
        name: str,
        total: int | None,
        unit: str,
        start: int,
        clock: Callable[[], float],
        draw: Callable[[], None],
    ) -> None:
        self.name = name
        self.total = total
        self.unit = unit
        self.start = start
        self.done = start
        self.note = ""
        self._clock = clock
        self._began = clock()
        self._draw = draw

    def update(self, *, done: int, note: str | None = None) -> None:
        """Say that `done` units of `total` exist now (those of `start` among them); `note` replaces the last
        one.
        """
        self.done = done
        if note is not None:
            self.note = note
        self._draw()

    def advance(self, by: int, *, note: str | None = None) -> None:
        """Say that `by` more units exist now."""
        self.update(done=self.done + by, note=note)

    def elapsed(self) -> float:
        """Return the seconds since the stage began or was resumed."""
        return self._clock() - self._began

    def rate(self) -> float | None:
        """Return the units a second of this process's own work, None before there is any."""
        new, seconds = self.done - self.start, self.elapsed()
        return new / seconds if new > 0 and seconds > 0 else None

    def line(self) -> str:
        """Return the state as one line: `vision  6 % 120/2000 steps  4.0 steps/s  7:50 left  nll 1.23`."""
        rate = self.rate()
        parts = [self.name, self._count()]
        if rate is not None:
            parts.append(f"{shown_rate(rate)} {self.unit}/s")
            if self.total is not None and self.done < self.total:
                parts.append(f"{shown_time((self.total - self.done) / rate)} left")
        return "  ".join([*parts, self.note] if self.note else parts)

    def first_line(self) -> str:
        """Return the line that opens the stage."""
        return f"{self.name}  {'resuming at' if self.start > 0 else 'starting:'} {self._count()}"

    def last_line(self, *, finished: bool) -> str:
        """Return the line that closes the stage, `finished` or broken off."""
        rate = self.rate()
        word = "done:" if finished else "stopped at"
        speed = "" if rate is None else f" ({shown_rate(rate)} {self.unit}/s)"
        note = f"  {self.note}" if self.note else ""
        return f"{self.name}  {word} {self._count()} in {shown_time(self.elapsed())}{speed}{note}"

    def _count(self) -> str:
        if self.total is None:
            return f"{self.done} {self.unit}"
        percent = 100 if self.total == 0 else 100 * self.done // self.total
        return f"{percent} % {self.done}/{self.total} {self.unit}"


class Progress:
    """Draws the bars of the stages at work on `stream`, and nothing where it is None.

    `clock` returns seconds and is monotonic. `label` opens every line. Without `live` a terminal gets plain lines too,
    as it must where several processes write to it.
    """

    def __init__(
        self,
        stream: TextIO | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        label: str = "",
        live: bool = True,
    ) -> None:
        self._stream = stream
        self._label = label
        self._clock = clock
        self._bars: list[Bar] = []
        self._whole: Callable[[Bar], str] | None = None
        self._drawn = clock()
        self._live: Live | None = None
        self._console: Console | None = None
        if live and stream is not None and stream.isatty():
            console = Console(file=stream, highlight=False, markup=False, emoji=False)
            self._console = None if console.is_dumb_terminal else console

    def say(self, message: str) -> None:
        """Print one line above the live one."""
        text = self._label + printable(message).replace("\n", "�")
        if self._console is not None:
            console = self._console
            self._write(lambda: console.print(Text(text), soft_wrap=True))
        elif self._stream is not None:
            stream = self._stream
            self._write(lambda: (stream.write(f"{text}\n"), stream.flush()))

    @contextmanager
    def stage(self, name: str, *, total: int | None, unit: str, start: int = 0) -> Iterator[Bar]:
        """Show a stage while the block runs: `total` units in all (None: unknown), `start` of them done by an
        earlier process.

        Stages may nest; on a terminal each has its line.
        """
        bar = Bar(name=name, total=total, unit=unit, start=start, clock=self._clock, draw=self._draw)
        self._open(bar)
        finished = False
        try:
            yield bar
            finished = True
        finally:
            self._close(bar)
            self.say(bar.last_line(finished=finished))

    @contextmanager
    def within(self, whole: Callable[[Bar], str]) -> Iterator[None]:
        """While the block runs, show beside a stage what `whole`, given its bar, says of the run that it is part of."""
        before, self._whole = self._whole, whole
        try:
            yield
        finally:
            self._whole = before

    def _open(self, bar: Bar) -> None:
        self._bars.append(bar)
        if self._console is None:
            self.say(bar.first_line() + self._aside(bar))
            self._drawn = self._clock()
        elif self._live is None:
            # No refreshing thread: a stage may fork workers, and a thread's locks do not survive that.
            self._live = Live(
                console=self._console,
                auto_refresh=False,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._write(self._live.start)
            self._draw(force=True)

    def _close(self, bar: Bar) -> None:
        self._bars.remove(bar)
        if self._live is not None and not self._bars:
            live, self._live = self._live, None
            self._write(live.stop)

    def _draw(self, *, force: bool = False) -> None:
        now = self._clock()
        if now - self._drawn < (LIVE_SECONDS if self._live is not None else PLAIN_SECONDS) and not force:
            return
        self._drawn = now
        if self._live is None:
            for bar in self._bars:
                self.say(bar.line() + self._aside(bar))
            return
        live = self._live
        said = [bar.line() for bar in self._bars] + self._of_the_run()
        lines = [Text(self._label + line, no_wrap=True, overflow="ellipsis") for line in said]
        self._write(lambda: live.update(Group(*lines), refresh=True))

    def _of_the_run(self) -> list[str]:
        """Return the line that says how far the whole run is, if anybody knows."""
        return [f"run: {self._whole(self._bars[0])}"] if self._whole is not None else []

    def _aside(self, bar: Bar) -> str:
        """Return the same for the end of a stage's line; a stage within another says nothing of the run."""
        return "".join(f"  ({line})" for line in self._of_the_run()) if bar is self._bars[0] else ""

    def _write(self, action: Callable[[], object]) -> None:
        try:
            action()
        except (
            OSError,
            ValueError,
            SystemExit,
        ):  # closed or broken; rich turns a broken pipe into SystemExit
            self._stream = self._console = self._live = None


def shown_time(seconds: float) -> str:
    """Return a duration as people write it: 0:07, 12:34, 5:06:07."""
    whole = round(seconds)
    minutes, hours = whole // 60 % 60, whole // 3600
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours > 0 else f"{minutes}:{whole % 60:02}"


def shown_rate(rate: float) -> str:
    """Return a rate with about three digits: 0.0123, 4.56, 1230."""
    return f"{rate:.0f}" if rate >= 100 else f"{rate:.3g}"
