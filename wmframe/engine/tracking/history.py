"""The curves of a stage as a file: one JSON object a line, appended, the source of truth that trackers only
mirror.

Comes in: steps and named numbers. Goes out: rows `{"step": 120, "memory/nll": 1.23}` in `history.jsonl`.
Called by every stage that trains or searches; read by reports.
"""

import json
import math
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, SupportsFloat

from wmframe.engine.durability.files import about, append_whole, write_atomic
from wmframe.engine.errors import UserError

Row = dict[str, Any]
"""`{"step": int, "stage/quantity": float, ...}`"""

_NAME = re.compile(r"[a-z][a-z0-9_]*/[a-z0-9_]+")


class History:
    """Append-only rows of metrics in the file `path`.

    Without `resume_step` a new history begins, and what the file held is gone. With it, rows later than that
    step and a last line that a kill cut short are dropped, so a resumed stage ends with the history of an
    uninterrupted one. `listener` gets every new row after it was written. Raises UserError when the file to
    resume is damaged.
    """

    def __init__(
        self, path: Path, *, resume_step: int | None = None, listener: Callable[[Row], None] | None = None
    ) -> None:
        lines = [] if resume_step is None or not path.exists() else _lines(path)
        kept = [line for number, line in enumerate(lines, 1) if _row(path, number, line)["step"] <= (resume_step or 0)]
        write_atomic(path, b"".join(kept))
        # Unbuffered: what `log` returned from is in the hands of the system, and survives the death of this
        # process.
        self._file, self._path = path.open("ab", buffering=0), path
        self._listener = listener

    def log(self, step: int, metrics: Mapping[str, SupportsFloat]) -> None:
        """Append one row.

        `step` is the stage's own count, 0 or more; names are `stage/quantity` in small letters, digits and
        `_`. Raises ValueError for any other name, an empty row, or a value that is not finite: nothing is
        written then.
        """
        if step < 0 or not metrics:
            raise ValueError(f"a row needs a step of 0 or more and a metric: step {step}, {dict(metrics)}")
        row: Row = {"step": int(step)}
        for name, value in metrics.items():
            row[check_name(name)] = _finite(name, step, value)
        append_whole(self._file, json.dumps(row, allow_nan=False).encode() + b"\n", self._path)
        if self._listener is not None:
            self._listener(row)

    def close(self) -> None:
        """Make the rows durable and close the file; a second call does nothing."""
        if not self._file.closed:
            try:
                with about(self._path):
                    os.fsync(self._file.fileno())
            finally:
                self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read(path: Path) -> list[Row]:
    """Return the rows of a history, without a last line that is still being written or was cut short.

    Raises UserError, naming file and line, when the file is missing or damaged.
    """
    if not path.is_file():
        raise UserError(f"{path}: there is no such file")
    return [_row(path, number, line) for number, line in enumerate(_lines(path), 1)]


def check_name(name: str) -> str:
    """Return `name` if it is a metric's: `stage/quantity`, and not `stage/step`, which trackers use. Raises
    ValueError.
    """
    if _NAME.fullmatch(name) is None or name.endswith("/step"):
        raise ValueError(f"{name!r} is not a metric name: write stage/quantity, as in memory/nll")
    return name


def _finite(name: str, step: int, value: SupportsFloat) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{name} is {number} at step {step}: it must be finite")
    return number


def _lines(path: Path) -> list[bytes]:
    """Return the complete lines of the file, each with its line end."""
    return [line + b"\n" for line in path.read_bytes().split(b"\n")[:-1]]


def _row(path: Path, number: int, line: bytes) -> Row:
    try:
        row = json.loads(line)
        step = row["step"]
        if not isinstance(step, int) or not all(isinstance(value, int | float) for value in row.values()):
            raise TypeError("not a row of metrics")
        list(map(float, row.values()))
    except (ValueError, OverflowError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{path}, line {number}: damaged ({error})", exit_code=1) from error
    return dict(row)
