"""What an interrupted stage had finished of its output, and how much of that still is what it was.

A stage vouches for a file once nothing will be written to it any more. When it goes on, files that it vouched for and
that did not change count; all else that stands in its output is removed, and made again. Called through `Task`.
"""

from collections.abc import Callable
from pathlib import Path

from wmframe.engine.durability.checksummed import VouchedLines, is_regular, remove
from wmframe.engine.durability.files import sha256


class Kept:
    """The finished files of a stage's `output`, by a list in the file `listed`; `owner` is the key of its result."""

    def __init__(self, output: Path, listed: Path, owner: str, say: Callable[[str], None]) -> None:
        self._output, self._say = output, say
        self._lines = VouchedLines(listed, owner, say)

    def mend(self) -> None:
        """Remove from the output all that nothing vouches for, and say which of the finished files is damaged."""
        known = {str(row["name"]): str(row["sha256"]) for row in self._lines.rows}
        for path in self._output.iterdir():
            if not (is_regular(path) and known.get(path.name) == sha256(path)):
                remove(path)
        for name in known:
            if not (self._output / name).exists():
                self._say(f"{name}, which was finished before, is damaged or gone; it is made again")

    def add(self, file: Path) -> None:
        """Vouch for a file of the output, to which nothing will be written any more."""
        self._lines.add({"name": file.name, "sha256": sha256(file)})
