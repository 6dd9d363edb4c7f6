"""What of a project's artefacts nobody needs any more: set aside as damaged, given up half-way, or of no run.

A project's folder comes in; what may go comes out, and goes if wanted. Called by `wmframe gc`. Nothing that a process
is at work on is touched: its lock says so.
"""

import contextlib
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Final, Literal

from wmframe.engine.durability.checksummed import remove
from wmframe.engine.errors import UserError
from wmframe.engine.runs.runs import all_runs
from wmframe.engine.store.artefact import DamagedError, open_artefact
from wmframe.engine.store.shelf import parent_stage
from wmframe.engine.store.single_flight import try_hold

_DAY: Final = 86_400.0
_GONE: Final = ".gone-"
_NAME: Final = re.compile(
    rf"(?P<key>[0-9a-f]{{16}})(?P<kind>|\.work(?:-[0-9a-f]+)?|\.damaged-\d+|{re.escape(_GONE)}[0-9a-f]+)"
)
_LITTER: Final = re.compile(r"\.[0-9a-f]{16}\.tmp|\.[0-9a-f]{8}\.link")

Why = Literal["damaged", "given up", "of no run", "half deleted", "litter"]


@dataclass(frozen=True, kw_only=True)
class Garbage:
    """Something that may go: where it is, why, its size in bytes, and how many seconds ago it was last touched."""

    path: Path
    why: Why
    size: int
    age: float

    @property
    def lock(self) -> Path | None:
        """The lock that a process holds while it works there."""
        match = _NAME.fullmatch(self.path.name)
        return None if match is None else self.path.with_name(f"{match['key']}.lock")


def find_garbage(root: Path, *, days: float) -> list[Garbage]:
    """Return what may go under `root`, by path.

    What a stage that was interrupted would go on from, and a result that no run refers to, are left alone until they
    are `days` days old. Raises UserError if a run's record is damaged: nobody knows then what it refers to.
    """
    wanted = _wanted(root)
    found = [*_in_store(root / "artefacts", wanted, days), *_litter(root, days)]
    return sorted(found, key=lambda garbage: garbage.path)


def delete(garbage: Garbage) -> bool:
    """Delete it, and tell whether it is gone: what a process is at work on stays."""
    with contextlib.ExitStack() as stack:
        if garbage.lock is not None:
            lock = try_hold(garbage.lock)
            if lock is None:
                return False
            stack.enter_context(lock)
        if garbage.why == "litter":
            remove(garbage.path)
            return True
        # Renamed first: a result that is half deleted must not stand under its name.
        key = garbage.path.name.partition(".")[0]
        gone = garbage.path.with_name(f"{key}{_GONE}{token_hex(4)}")
        garbage.path.rename(gone)
        remove(gone)
    return True


def _in_store(artefacts: Path, wanted: set[tuple[str, str]], days: float) -> Iterator[Garbage]:
    for path in artefacts.glob("*/*"):
        match = _NAME.fullmatch(path.name)
        why = None if match is None else _why(path, match["key"], match["kind"], wanted)
        if why is None:
            continue
        size, age = _measure(path)
        if why in {"damaged", "half deleted"} or age >= days * _DAY:
            yield Garbage(path=path, why=why, size=size, age=age)


def _why(path: Path, key: str, kind: str, wanted: set[tuple[str, str]]) -> Why | None:
    if kind.startswith(_GONE):
        return "half deleted"
    if kind.startswith(".damaged"):
        return "damaged"
    if kind.startswith(".work"):
        return "given up"
    return None if (path.parent.name, key) in wanted else "of no run"


def _wanted(root: Path) -> set[tuple[str, str]]:
    """Return the results that runs refer to, with all that they were made of, as far as that can be read."""
    wanted: set[tuple[str, str]] = set()
    try:
        open_ends = [(stage.stage, stage.key) for run in all_runs(root / "runs") for stage in run.record().stages]
    except UserError as error:
        raise UserError(
            f"{error}. Nobody knows what that run refers to, so nothing is deleted; delete its folder if you can do "
            "without it.",
            exit_code=1,
        ) from error
    while open_ends:
        stage, key = result = open_ends.pop()
        if result in wanted:
            continue
        wanted.add(result)
        with contextlib.suppress(DamagedError):
            artefacts = root / "artefacts"
            manifest = open_artefact(artefacts / stage / key, stage, key, verify=False).manifest
            open_ends += [(parent_stage(artefacts, role, made), made) for role, made in manifest["parents"].items()]
    return wanted


def _litter(root: Path, days: float) -> Iterator[Garbage]:
    """Yield temporary files that a kill left beside what they were to replace."""
    for folder in ("artefacts", "runs", "sweeps"):
        for path in (root / folder).rglob(".*"):
            if _LITTER.fullmatch(path.name) and not any(".work" in part for part in path.parts):
                size, age = _measure(path)
                if age >= days * _DAY:
                    yield Garbage(path=path, why="litter", size=size, age=age)


def _measure(path: Path) -> tuple[int, float]:
    """Return the bytes of all files, and the seconds since the last of them was touched."""
    facts = [path.lstat(), *(inner.lstat() for inner in (path.rglob("*") if not path.is_symlink() else ()))]
    return sum(fact.st_size for fact in facts[1:] or facts), time.time() - max(fact.st_mtime for fact in facts)


def total(found: Sequence[Garbage]) -> int:
    """Return the bytes of all."""
    return sum(garbage.size for garbage in found)
