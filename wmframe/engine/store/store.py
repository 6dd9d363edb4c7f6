"""The artefact store: every result under a name made of what it was computed from, whole or absent, computed
once.

    artefacts/<stage>/<key>/              published: manifest.json and the files it vouches for
    artefacts/<stage>/<key>.work/         in progress: resume/ (to continue from), output/ (to be published)
    artefacts/<stage>/<key>.lock          held by the process at work
    artefacts/<stage>/<key>.damaged-<n>/  set aside because a byte was wrong; may be deleted

Comes in: requests and functions that produce. Goes out: artefacts that were checked. Called by the pipeline
and the commands. The rename of `output` into place is the only commit; nothing else ever marks a result as
done.
"""

import errno
import os
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any, Literal

from wmframe.engine.durability import failpoints
from wmframe.engine.durability.files import fsync_folder
from wmframe.engine.errors import UserError
from wmframe.engine.store.artefact import Artefact, DamagedError, Request, open_artefact, seal
from wmframe.engine.store.reasons import changes, nearest
from wmframe.engine.store.shelf import Shelf, parent_stage
from wmframe.engine.store.single_flight import hold, try_hold

__all__ = ["Artefact", "Request", "State", "Status", "Store"]

State = Literal["cached", "sealed", "partial", "damaged", "missing"]
"""Where a result stands; "sealed" is computed, its process having died just before it was published."""

_OCCUPIED = frozenset({errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR})


@dataclass(frozen=True, kw_only=True)
class Status:
    """Where a result stands, and why in words (empty when cached)."""

    state: State
    reason: str = ""


def _quiet(_line: str) -> None:
    return


class Store:
    """The artefacts under `root` (made when needed). `notice` gets each line that a person should read."""

    def __init__(self, root: Path, *, notice: Callable[[str], None] = _quiet) -> None:
        self.root = root
        self._notice = notice
        self._shelf = Shelf(root, notice)

    def find(self, stage: str, key: str, *, repair: bool = False) -> Artefact | None:
        """Return the artefact or None; every byte of it was checked, once and again when a file was touched.

        A damaged one counts as missing, with a notice that names the file and what is wrong; with `repair`
        its folder is set aside too.
        """
        if not self._shelf.occupied(stage, key):
            return None
        try:
            return self._shelf.open(stage, key)
        except DamagedError as error:
            if not repair:
                self._notice(f"{stage} {key} is damaged: {error}")
                return None
        with self._hold(stage, key):
            return self._shelf.open_or_set_aside(stage, key)

    def status(self, stage: str, key: str, *, verify: bool = True) -> Status:
        """Say where the result stands, touching nothing; without `verify` (quick listings) contents are not
        read.
        """
        if self._shelf.occupied(stage, key):
            try:
                self._shelf.open(stage, key, verify=verify)
            except DamagedError as error:
                return Status(state="damaged", reason=f"damaged: {error}")
            return Status(state="cached")
        work = self._shelf.folder(stage, key).with_suffix(".work")
        if _sealed(stage, key, work / "output"):
            return Status(state="sealed", reason="computed, will be published")
        if _holds_files(work):
            return Status(state="partial", reason="was interrupted, will continue")
        return Status(state="missing", reason="never computed")

    def why(self, request: Request) -> list[str]:
        """Say why the stage will run: what is damaged, or what differs from the nearest result; empty when
        cached.
        """
        status = self.status(request.stage, request.key)
        near = None
        if status.state == "missing":
            near = self.nearest(request.stage, request.config, request.parents)
        lines = [] if near is None else changes(near, request)
        return lines or [status.reason] * (status.state != "cached")

    def nearest(
        self, stage: str, config: Mapping[str, Any], parents: Mapping[str, str] | None = None
    ) -> Mapping[str, Any] | None:
        """Return the manifest of `stage` that differs least from `config` (and `parents`), or None."""
        return nearest(self._shelf.folder(stage, "0" * 16).parent, config, parents)

    def obtain(self, request: Request, produce: Callable[[Path], None]) -> Artefact:
        """Return the artefact, calling `produce(work)` when there is none.

        `produce` keeps resumable state in `work/resume/` and writes what is to be published, plain data only,
        into `work/output/`. Both exist and still hold what a killed process left there, for which nothing vouches: so
        write atomically, with a checksum.
        All that stands in `output` is published, except `*.tmp`, which is removed. Whatever `produce` raises
        goes through, its work kept for the next call. Raises ValueError for outputs that are not plain data,
        and UserError when a parent changed meanwhile (the work, which may rest on bad bytes, is then
        deleted).
        """
        stage, key = request.stage, request.key
        found = self.find(stage, key, repair=True)
        if found is not None:
            self._tidy(found)
            return found
        folder = self._shelf.folder(stage, key)
        folder.parent.mkdir(parents=True, exist_ok=True)
        failpoints.reach(f"{stage}.unlocked")
        with self._hold(stage, key) as alone:
            failpoints.reach(f"{stage}.locked")
            found = self._shelf.open_or_set_aside(stage, key)
            if found is not None:
                return found
            # Without locks another process may be at work on the same result: then only the rename is shared.
            work = folder.with_suffix(".work" if alone else f".work-{token_hex(4)}")
            if not _sealed(stage, key, work / "output"):
                self._produce(request, produce, work)
            artefact = self._publish(request, work)
        failpoints.reach(f"{stage}.published")
        return artefact

    def lineage(self, artefact: Artefact) -> list[Artefact]:
        """Return all that the artefact was computed from, parents before children, and last the artefact
        itself.

        Raises UserError when one of them is missing or damaged.
        """
        seen: dict[tuple[str, str], Artefact] = {}

        def visit(child: Artefact) -> None:
            for name, key in child.manifest["parents"].items():
                stage = parent_stage(self.root, name, key)
                if (stage, key) not in seen:
                    visit(self._parent(child, stage, key))
            seen[child.stage, child.key] = child

        visit(artefact)
        return list(seen.values())

    def _parent(self, child: Artefact, stage: str, key: str) -> Artefact:
        parent = self.find(stage, key)
        if parent is None:
            raise UserError(
                f"{child.stage} {child.key} was computed from {stage} {key}, which is missing or damaged. "
                "Run the experiment again: it redoes what is missing.",
                exit_code=1,
            )
        return parent

    def _hold(self, stage: str, key: str) -> AbstractContextManager[bool]:
        return hold(self._shelf.folder(stage, key).with_suffix(".lock"), f"{stage} {key}", self._notice)

    def _produce(self, request: Request, produce: Callable[[Path], None], work: Path) -> None:
        for folder in (work, work / "resume", work / "output"):
            if os.path.lexists(folder) and (folder.is_symlink() or not folder.is_dir()):
                self._notice(f"{request.stage} {request.key}: {folder.name} is no folder, and is made anew")
                folder.unlink()
            folder.mkdir(exist_ok=True)
        known = {
            name: self._shelf.checked(parent_stage(self.root, name, key), key) for name, key in request.parents.items()
        }
        began = time.monotonic()
        produce(work)
        seconds = time.monotonic() - began
        for name, parent in known.items():
            if parent is not None and not self._shelf.unchanged(parent):
                shutil.rmtree(work, ignore_errors=True)
                raise UserError(
                    f"{request.stage} {request.key}: its input {name} ({parent.path}) was changed while the "
                    "stage ran, so its work was thrown away. Run the same command again.",
                    exit_code=1,
                )
        seal(work / "output", request, wall_seconds=seconds)

    def _publish(self, request: Request, work: Path) -> Artefact:
        stage, key = request.stage, request.key
        folder = self._shelf.folder(stage, key)
        while True:
            try:
                failpoints.reach(f"{stage}.sealed")
                (work / "output").rename(folder)
                failpoints.reach(f"{stage}.renamed")
                break
            except OSError as error:
                if error.errno not in _OCCUPIED:
                    raise
            if self._shelf.open_or_set_aside(stage, key) is not None:
                break  # somebody else published first, and theirs stands
        fsync_folder(folder.parent)
        shutil.rmtree(work, ignore_errors=True)
        try:
            return self._shelf.open(stage, key)
        except DamagedError as error:
            raise UserError(
                f"{stage} {key} was damaged while it was published: {error}. Run the same command again.",
                exit_code=1,
            ) from error

    def _tidy(self, artefact: Artefact) -> None:
        """Remove what a process left that died after the rename."""
        work = artefact.path.with_suffix(".work")
        if work.exists() and (lock := try_hold(artefact.path.with_suffix(".lock"))) is not None:
            with lock:
                shutil.rmtree(work, ignore_errors=True)


def _sealed(stage: str, key: str, output: Path) -> bool:
    """Tell whether a process died between its last byte and the rename: nothing is left to compute then."""
    try:
        open_artefact(output, stage, key)
    except DamagedError:
        return False
    return True


def _holds_files(folder: Path) -> bool:
    """Tell whether there is any file; where another process publishes or clears it meanwhile, there was one."""
    try:
        return any(path.is_file() for path in folder.rglob("*"))
    except OSError:
        return True
