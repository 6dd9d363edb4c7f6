"""Files that are whole or absent: atomic writes, JSON in one spelling, and checksums.

Comes in: a path and bytes, text or plain JSON values. Goes out: a file that, after a crash or a full disk,
holds either its old content or its new content. Called by the store, by every stage that keeps resume state,
and by the commands.
"""

import contextlib
import errno
import hashlib
import io
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wmframe.engine.durability import failpoints
from wmframe.engine.errors import UserError

LITTER = "*.tmp"
"""Glob pattern of temporary files: a kill inside `write_atomic` may leave one beside the target."""


def write_atomic(path: Path, content: bytes | str) -> None:
    """Replace the file at `path` (its folder must exist) by `content`, text as UTF-8, completely or not at
    all.

    The temporary file stands beside the target, never in $TMPDIR: only within one file system is a rename
    atomic. Raises the OSError of the failed step, about `path`, the old file untouched and the temporary one
    removed.
    """
    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    with about(path):
        try:
            with temporary.open("xb") as file:
                half = len(data) // 2
                file.write(memoryview(data)[:half])
                failpoints.reach(f"half.{path.name}", path)
                file.write(memoryview(data)[half:])
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    fsync_folder(path.parent)


@contextlib.contextmanager
def about(path: Path) -> Iterator[None]:
    """Let every OSError of the block be about `path`: calls on an open file name none, and nobody knows a temporary
    one.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None:  # a library's own words, which may name the file as they like
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


def append_whole(file: io.RawIOBase, content: bytes, path: Path) -> None:
    """Append to an unbuffered file, open at `path`, all of the content or none of it.

    Half a line in the middle would spoil the file for every reader. Raises the OSError of the failed write, about
    `path`, the file as long as it was.
    """
    begin = file.seek(0, os.SEEK_END)
    try:
        with about(path):
            written = 0
            while written < len(content):
                written += file.write(content[written:]) or 0
    except OSError:
        file.truncate(begin)
        raise


def link_atomic(link: Path, target: str) -> None:
    """Make `link` a symbolic link to `target`, in one step where it was one to something else."""
    temporary = link.with_name(f".{secrets.token_hex(4)}.link")
    with about(link):
        os.symlink(target, temporary)
        try:
            temporary.replace(link)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise


def fsync_folder(folder: Path) -> None:
    """Make the names in `folder` durable: a rename survives a power cut only after its folder is synced."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with about(folder):
            os.fsync(descriptor)
    except OSError as error:
        # Some network file systems know no fsync of folders; they then order renames themselves.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def json_text(value: Any) -> str:
    """Spell plain data as JSON in the one way this project writes it: sorted keys, two spaces, a final
    newline.

    Raises ValueError for NaN and infinity, which JSON does not have, and TypeError for anything but plain
    data.
    """
    return json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_json(path: Path, value: Any) -> None:
    """Write plain data to `path` atomically, spelled by `json_text` (whose errors it raises before touching
    the file).
    """
    write_atomic(path, json_text(value))


def read_json(path: Path) -> Any:
    """Read the JSON file at `path`.

    Raises UserError, naming the file, when it is missing, unreadable, cut short or otherwise not JSON.
    """
    try:
        return json.loads(path.read_bytes(), parse_constant=_refuse)
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: damaged or not JSON ({error})") from error


def sha256(path: Path) -> str:
    """Return the SHA-256 of the file's content as 64 hex digits; memory does not grow with the file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON number")
