"""`tracker=none`: the run keeps its own metrics, and nothing mirrors them. Called as every tracker is."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, final

from wmframe.engine.tracking.history import Row
from wmframe.engine.tracking.tracker import ArtefactInfo, RunInfo, Tracker, to_stderr


@final
class NoTracker(Tracker):
    """Does nothing."""

    def start(self, run: RunInfo, notice: Callable[[str], None] = to_stderr) -> None:
        """Do nothing."""

    def log(self, row: Row) -> None:
        """Do nothing."""

    def media(self, name: str, path: Path, caption: str = "") -> None:
        """Do nothing."""

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Do nothing."""

    def artefact(self, info: ArtefactInfo) -> None:
        """Do nothing."""

    def summary(self, values: Mapping[str, Any]) -> None:
        """Do nothing."""

    def finish(self, *, failed: bool = False) -> None:
        """Do nothing."""
