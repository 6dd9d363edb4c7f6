"""One published result: a folder of plain data files with a manifest that vouches for every byte.

Comes in: a folder, what was asked for, and what the manifest says. Goes out: an `Artefact` whose files were
checked, a `DamagedError` that says what is wrong, or a sealed folder ready to be renamed into the store.
Called by the store alone; stages see `Artefact`.
"""

import errno
import hashlib
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Never

from wmframe.engine.durability.files import LITTER, about, fsync_folder, json_text, read_json, sha256, write_atomic
from wmframe.engine.errors import UserError
from wmframe.engine.store.keys import SCHEMA, key, keyed

MANIFEST = "manifest.json"
PLAIN = (
    *(".safetensors", ".npy", ".h5", ".json", ".jsonl", ".yaml", ".csv", ".txt", ".md"),
    *(".html", ".svg", ".png", ".webp", ".gif", ".mp4"),
)
"""What an artefact may hold: opening any of these executes nothing."""

_FOUND_BY_PATTERN = "*.h5"
"""Files that stages find by their names' pattern: one that the manifest does not know would be read as well."""

_NAME = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9._-]*/)*[A-Za-z0-9][A-Za-z0-9._-]*")
_FIELDS: dict[str, type | tuple[type, ...]] = {
    "schema": int,
    "stage": str,
    "key": str,
    "code_version": int,
    "config": dict,
    "parents": dict,
    "seeds": dict,
    "provenance": dict,
    "created": str,
    "wall_seconds": (int, float),
    "files": dict,
    "checksum": str,
}
# Errors that say "these are not the files that were published". Others (no permission, no file handles left)
# say nothing of the files.
_DAMAGE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EIO})


class DamagedError(Exception):
    """The folder is not what was published; the message names the file and what is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked of the store: a stage's result for one config and one set of parents.

    `config` is the stage's own resolved plain config. `parents` maps a parent's role to its key; it is
    `role.something` where a stage has several parents of one kind (`collect.1`, `collect.2`). `seeds` and
    `provenance` are recorded, not hashed: a seed that changes the result stands in `config` too.
    """

    stage: str
    code_version: int
    config: Mapping[str, Any]
    parents: Mapping[str, str] = field(default_factory=dict)
    seeds: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def key(self) -> str:
        """The 16 hex digits of the result (`wmframe.engine.store.keys.key`, whose errors it raises)."""
        return key(self.stage, self.code_version, self.config, self.parents)


@dataclass(frozen=True, kw_only=True)
class Artefact:
    """A published result: `path` is its folder, `manifest` what was recorded with it (config, parents, seeds,
    files, …).
    """

    stage: str
    key: str
    path: Path
    manifest: Mapping[str, Any]

    def file(self, name: str) -> Path:
        """Return the path of the file `name` (`shards/0001.h5`).

        Raises UserError when the manifest does not list it, or a link or anything but a regular file stands
        there.
        """
        if name not in self.manifest["files"]:
            listed = ", ".join(sorted(self.manifest["files"]))
            raise UserError(f"{self.path}: holds no file {name!r}; it holds {listed}")
        try:
            _lstat(self.path, name)
        except DamagedError as error:
            raise UserError(f"{self.path}: {error}. Run the same command again: it redoes the stage.") from error
        return self.path / name


def open_artefact(folder: Path, stage: str, wanted: str, *, verify: bool = True) -> Artefact:
    """Return the artefact in `folder`, which must be that of `stage` and key `wanted`.

    With `verify` every file's sha256 is compared, otherwise only its size. Raises DamagedError.
    """
    try:
        _lstat_folder(folder)
        manifest = read_manifest(folder)
        if (manifest["stage"], manifest["key"]) != (stage, wanted):
            raise DamagedError(f"{MANIFEST} is that of {manifest['stage']} {manifest['key']}")
        for name, facts in manifest["files"].items():
            _check_file(folder, name, facts, verify=verify)
        for path in sorted(folder.glob(_FOUND_BY_PATTERN)):
            if path.name not in manifest["files"]:
                raise DamagedError(f"{path.name} is not of this result")
    except OSError as error:
        _damage_or_raise(error, folder)
    return Artefact(stage=stage, key=wanted, path=folder, manifest=manifest)


def signature(artefact: Artefact) -> tuple[tuple[int, int, int], ...] | None:
    """Return (size, mtime, inode) of every file: equal signatures mean that nobody touched them. None where
    one is gone.
    """
    try:
        facts = [os.lstat(artefact.path / name) for name in (MANIFEST, *sorted(artefact.manifest["files"]))]
    except OSError:
        return None
    return tuple((fact.st_size, fact.st_mtime_ns, fact.st_ino) for fact in facts)


def seal(folder: Path, request: Request, *, wall_seconds: float) -> None:
    """Make the finished output in `folder` durable and write its manifest, last.

    Raises ValueError for an output that is not plain data (or none at all), or a seed or fact that is not
    JSON: a mistake in the stage.
    """
    (folder / MANIFEST).unlink(missing_ok=True)
    files: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_dir() and not path.is_symlink():
            continue
        if path.match(LITTER):
            path.unlink()
            continue
        files[name] = _seal_file(folder, name)
    if not files:
        raise ValueError(f"{request.stage}: the stage wrote nothing into {folder}")
    for inner in (path for path in folder.rglob("*") if path.is_dir()):
        fsync_folder(inner)
    manifest = {
        "schema": SCHEMA,
        "stage": request.stage,
        "key": request.key,
        "code_version": request.code_version,
        "config": keyed(request.config),
        "parents": dict(request.parents),
        "seeds": dict(request.seeds),
        "provenance": dict(request.provenance),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "wall_seconds": round(wall_seconds, 3),
        "files": files,
    }
    write_atomic(folder / MANIFEST, json_text({**manifest, "checksum": _checksum(manifest)}))


def _seal_file(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    try:
        _check_name(name)
        size = _lstat(folder, name).st_size
    except DamagedError as error:
        raise ValueError(f"a stage's output must be plain data: {error}") from error
    with path.open("rb") as file, about(path):
        os.fsync(file.fileno())
    return {"sha256": sha256(path), "bytes": size}


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest in `folder`, to the bit as it was written, its files not looked at; raises DamagedError."""
    _lstat(folder, MANIFEST)
    path = folder / MANIFEST
    try:
        manifest = read_json(path)
    except UserError as error:
        raise DamagedError(str(error).removeprefix(f"{folder}/")) from error
    if not isinstance(manifest, dict) or manifest.keys() != _FIELDS.keys():
        raise DamagedError(f"{MANIFEST} does not have the fields of a manifest")
    for name, kind in _FIELDS.items():
        if not isinstance(manifest[name], kind):
            raise DamagedError(f"{MANIFEST}: {name} has the wrong type")
    if manifest["schema"] != SCHEMA:
        raise DamagedError(f"{MANIFEST} has schema {manifest['schema']}, this version reads {SCHEMA}")
    unsigned = {name: value for name, value in manifest.items() if name != "checksum"}
    try:
        # The spelling is compared as well, since one flipped bit can turn 1e-05 into 1E-05.
        whole = manifest["checksum"] == _checksum(unsigned) and path.read_bytes() == json_text(manifest).encode()
    except ValueError:  # a number that was changed to one beyond all bounds
        whole = False
    if not whole:
        raise DamagedError(f"{MANIFEST} was changed after it was written")
    return manifest


def _checksum(unsigned: Mapping[str, Any]) -> str:
    return hashlib.sha256(json_text(unsigned).encode()).hexdigest()


def _check_file(folder: Path, name: str, facts: Any, *, verify: bool) -> None:
    if not isinstance(facts, dict) or facts.keys() != {"sha256", "bytes"}:
        raise DamagedError(f"{MANIFEST}: {name!r} has no sha256 and size")
    _check_name(name)
    size = _lstat(folder, name).st_size
    if size != facts["bytes"]:
        raise DamagedError(f"{name} has {size} bytes instead of {facts['bytes']}")
    if verify and sha256(folder / name) != facts["sha256"]:
        raise DamagedError(f"{name} has other content than was published (sha256 differs)")


def _check_name(name: str) -> None:
    if _NAME.fullmatch(name) is None or name == MANIFEST:
        raise DamagedError(f"{name!r} is not a file name that an artefact may hold")
    if Path(name).suffix not in PLAIN:
        raise DamagedError(f"{name} is not one of {' '.join(PLAIN)}")


def _lstat(folder: Path, name: str) -> os.stat_result:
    """Return what stands at `name`: a regular file that is reached through no link."""
    for parent in reversed(Path(name).parents[:-1]):
        _lstat_folder(folder / parent)
    try:
        fact = os.lstat(folder / name)
    except OSError as error:
        _damage_or_raise(error, folder)
    if not stat.S_ISREG(fact.st_mode):
        raise DamagedError(f"{name} is {'a link' if stat.S_ISLNK(fact.st_mode) else 'not a regular file'}")
    return fact


def _lstat_folder(folder: Path) -> None:
    if not stat.S_ISDIR(os.lstat(folder).st_mode):
        raise DamagedError(f"{folder.name} is not a folder of its own")


def _damage_or_raise(error: OSError, folder: Path) -> Never:
    if error.errno not in _DAMAGE:
        raise error
    name = "a file"
    if isinstance(error.filename, str):
        path = Path(error.filename)
        name = path.relative_to(folder).as_posix() if folder in path.parents else path.name
    raise DamagedError(f"{name}: {error.strerror}") from error
