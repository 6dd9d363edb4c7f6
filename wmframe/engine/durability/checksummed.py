"""JSON that vouches for itself: a bit that changed on disk, or a file that is another's, is found before use.

Comes in: plain data and its owner, a name for what it belongs to. Goes out: files with a checksum over both. For what
no manifest vouches for: the state that stages go on from, and the records of runs and sweeps.
"""

import hashlib
import json
import os
import shutil
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from wmframe.engine.durability.files import about, append_whole, json_text, read_json, write_atomic, write_json
from wmframe.engine.errors import UserError

_CHECKSUM: Final = "checksum"
_MARK: Final = "# checksum: "


def write_vouched(path: Path, content: Mapping[str, Any], owner: str) -> None:
    """Write a mapping of plain data as JSON, atomically, with its checksum beside its own names."""
    write_json(path, {**content, _CHECKSUM: _checksum([owner, content])})


def read_vouched(path: Path, owner: str) -> dict[str, Any]:
    """Read what `write_vouched` wrote for this owner.

    Raises UserError, naming the file, if it is missing, a link, or not to the bit what was written for this owner.
    """
    content = read_unvouched(path)
    if _CHECKSUM not in content:
        raise UserError(f"{path}: damaged (it has no checksum)", exit_code=1)
    unsigned = {name: value for name, value in content.items() if name != _CHECKSUM}
    try:
        # The spelling is compared as well, since one flipped bit can turn 1e-05 into 1E-05.
        whole = content[_CHECKSUM] == _checksum([owner, unsigned]) and path.read_bytes() == json_text(content).encode()
    except ValueError:  # a number that was changed to one beyond all bounds
        whole = False
    if not whole:
        raise UserError(f"{path}: damaged (it was changed after it was written, or is another's)", exit_code=1)
    return unsigned


def read_vouched_or_old(path: Path, owner: str) -> dict[str, Any]:
    """Read as `read_vouched`, but also a file of a wmframe that wrote no checksums yet.

    One changed bit cannot make the first look like the second: the checksum's name would then be an unknown field,
    which whoever reads a record refuses.
    """
    content = read_unvouched(path)
    return read_vouched(path, owner) if _CHECKSUM in content else content


def write_vouched_text(path: Path, text: str, owner: str) -> None:
    """Write text whose lines may begin with # for a comment, YAML for one, with its checksum as the first line."""
    write_atomic(path, f"{_MARK}{_checksum([owner, text])}\n{text}")


def read_vouched_text(path: Path, owner: str) -> str:
    """Read what `write_vouched_text` wrote, or a file without a checksum from before there were any.

    Raises UserError if it cannot be read or is not what was written.
    """
    if path.is_symlink():
        raise UserError(f"{path}: damaged (it is a link)", exit_code=1)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: damaged or not readable ({error})", exit_code=1) from error
    first, _, rest = text.partition("\n")
    if first.startswith(_MARK) and first != f"{_MARK}{_checksum([owner, rest])}":
        raise UserError(f"{path}: damaged (it was changed after it was written, or is another's)", exit_code=1)
    return text


def read_unvouched(path: Path) -> dict[str, Any]:
    """Read a mapping from a JSON file that is no link, unchecked; raises UserError."""
    if not is_regular(path) and os.path.lexists(path):
        raise UserError(f"{path}: damaged (it is a link or a folder)", exit_code=1)
    content = read_json(path)
    if not isinstance(content, dict):
        raise UserError(f"{path}: damaged (it is no mapping)", exit_code=1)
    return content


def is_regular(path: Path) -> bool:
    """Tell whether a file itself stands at `path`, and no link or folder."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def remove(path: Path) -> None:
    """Remove whatever stands at `path`, without following a link."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


class VouchedLines:
    """An append-only file of JSON lines, each of which vouches for itself, its place and its owner.

    Opening it keeps the lines before the first bad one, which are then `rows`, and removes the rest; `say` is told so.
    A last line that a kill cut short is dropped without a word. What is added goes into the file alone: a search adds
    for days.
    """

    def __init__(self, path: Path, owner: str, say: Callable[[str], None]) -> None:
        self._path, self._owner = path, owner
        self.rows: list[dict[str, Any]] = []
        if os.path.lexists(path) and not is_regular(path):
            say(f"{path.name} is damaged (a link or a folder), and begun anew")
            remove(path)
        lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
        for line in lines:
            row = self._row(line)
            if row is None:
                said = f"the {len(self.rows)} before it stand" if self.rows else "it is begun anew"
                say(f"{path.name} is damaged in line {len(self.rows) + 1}: {said}")
                break
            self.rows.append(row)
        write_atomic(path, b"".join(line + b"\n" for line in lines[: len(self.rows)]))
        self._count = len(self.rows)

    def add(self, row: Mapping[str, Any]) -> None:
        """Append one row of plain data; after an error the file is as it was."""
        line = self._line(row, self._count) + b"\n"
        with about(self._path), self._path.open("ab", buffering=0) as file:
            append_whole(file, line, self._path)
        self._count += 1

    def clear(self) -> None:
        """Forget all rows."""
        write_atomic(self._path, b"")
        self.rows.clear()
        self._count = 0

    def _line(self, row: Mapping[str, Any], number: int) -> bytes:
        checked = {"check": _checksum([self._owner, number, row])[:16], "row": row}
        return json.dumps(checked, sort_keys=True, allow_nan=False).encode()

    def _row(self, line: bytes) -> dict[str, Any] | None:
        try:
            row = json.loads(line)["row"]
            return row if isinstance(row, dict) and self._line(row, len(self.rows)) == line else None
        except (ValueError, KeyError, TypeError, RecursionError):
            return None


def _checksum(value: Any) -> str:
    return hashlib.sha256(json_text(value).encode()).hexdigest()
