"""The face of experiment trackers: mirrors of a run's metrics, which the run can always do without.

Comes in: what identifies a run, then rows, media, tables, artefacts and a summary. Goes out: whatever the tracker
keeps. Called by the pipeline through `tracked`; `conf/tracker/*.yaml` names the implementation. The source of truth
is the stages' own `history.jsonl`.
"""

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wmframe.engine.tracking.history import Row


@dataclass(frozen=True, kw_only=True)
class RunInfo:
    """What a tracker is told about a run. `folder` exists and is the only place a tracker writes to; `config`
    is plain data.

    `id` (1 to 64 letters, digits, dots, dashes, underscores) is the same whenever the same experiment runs, and what
    is told under it is then told from the beginning again: the newest telling replaces the others. `group` is the
    sweep that the run is a job of, `notes` a line for people.
    """

    id: str
    name: str
    folder: Path
    config: Mapping[str, Any] = field(default_factory=dict)
    group: str | None = None
    notes: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ArtefactInfo:
    """What a tracker is told about a stage's result: its unique `name`, its kind (the stage), the `folder` it lies in,
    how many bytes each of its `files` has, and plain facts, the names of its parents among them.

    `made` is whether this run computed it, rather than took it from the store.
    """

    name: str
    kind: str
    folder: Path
    files: Mapping[str, int]
    facts: Mapping[str, Any]
    made: bool


def to_stderr(line: str) -> None:
    """Print a tracker's notice where no other place is given."""
    print(line, file=sys.stderr, flush=True)


class Tracker(ABC):
    """A mirror of one run. No method raises for a fault of the tracker, asks anything, or waits for the
    network for long.
    """

    @abstractmethod
    def start(self, run: RunInfo, notice: Callable[[str], None] = to_stderr) -> None:
        """Begin; the other methods come after this one. `notice` gets at most a few lines that a person
        should read.
        """

    @abstractmethod
    def log(self, row: Row) -> None:
        """Mirror one row of a `History`: `{"step": int, "stage/quantity": float, ...}`; each stage counts its
        own steps.
        """

    @abstractmethod
    def media(self, name: str, path: Path, caption: str = "") -> None:
        """Keep a copy of the picture (.png, .webp), film (.gif) or page (.html) at `path` under a metric's name."""

    @abstractmethod
    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Keep a table of plain values under a metric's name."""

    @abstractmethod
    def artefact(self, info: ArtefactInfo) -> None:
        """Remember what the run made or was made of; a tracker may leave large files where they lie."""

    @abstractmethod
    def summary(self, values: Mapping[str, Any]) -> None:
        """Set the run's final numbers and words."""

    @abstractmethod
    def finish(self, *, failed: bool = False) -> None:
        """Write what is left and let go; a second call does nothing."""


@contextmanager
def tracked(tracker: Tracker, run: RunInfo, notice: Callable[[str], None] = to_stderr) -> Iterator[Tracker]:
    """Start `tracker`, and finish it however the block ends."""
    tracker.start(run, notice)
    failed = True
    try:
        yield tracker
        failed = False
    finally:
        tracker.finish(failed=failed)
