"""Where artefacts stand, and which of them may be trusted.

Comes in: a stage and a key. Goes out: an artefact with every byte checked, the reason why it is damaged, or
its damaged folder set aside. Called by the store.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path

from wmframe.engine.durability.files import fsync_folder
from wmframe.engine.errors import UserError
from wmframe.engine.store.artefact import Artefact, DamagedError, open_artefact, signature

_STAGE = re.compile(r"[a-z][a-z0-9_]*")
_KEY = re.compile(r"[0-9a-f]{16}")


def parent_stage(root: Path, role: str, key: str) -> str:
    """Return the stage of a parent, which a manifest names by its role and its key; `root` is the store's folder.

    Roles are called as their stages are or as a recipe likes, and a key is one result's in the whole store. Of a parent
    that is not there it is the role's own name: `collect` of `collect.2`.
    """
    named = role.partition(".")[0]
    if _KEY.fullmatch(key) is None or (root / named / key).is_dir():
        return named
    return next((path.parent.name for path in sorted(root.glob(f"*/{key}"))), named)


class Shelf:
    """The published artefacts under `root`; `notice` gets a line for every damaged one that is set aside."""

    def __init__(self, root: Path, notice: Callable[[str], None]) -> None:
        self.root = root
        self._notice = notice
        self._checked: dict[tuple[str, str], tuple[Artefact, object]] = {}

    def folder(self, stage: str, key: str) -> Path:
        """Return the place of an artefact. Raises UserError for names that could lead out of the store: a run
        file holds them.
        """
        if _STAGE.fullmatch(stage) is None or _KEY.fullmatch(key) is None:
            raise UserError(f"{stage!r}, {key!r}: not a stage and a key of 16 hex digits")
        return self.root / stage / key

    def occupied(self, stage: str, key: str) -> bool:
        """Tell whether anything at all stands in the artefact's place."""
        return os.path.lexists(self.folder(stage, key))

    def open(self, stage: str, key: str, *, verify: bool = True) -> Artefact:
        """Return the artefact; raises DamagedError. Contents are read once, and again only when a file was
        touched since.
        """
        folder = self.folder(stage, key)
        # The files are looked at before they are read, so one that changes meanwhile is read again next time.
        artefact = open_artefact(folder, stage, key, verify=False)
        seen = signature(artefact)
        if not verify or (seen is not None and self._checked.get((stage, key)) == (artefact, seen)):
            return artefact
        artefact = open_artefact(folder, stage, key)
        self._checked[stage, key] = (artefact, seen)
        return artefact

    def checked(self, stage: str, key: str) -> Artefact | None:
        """Return the artefact as this process last checked it, or None if it never did."""
        known = self._checked.get((stage, key))
        return None if known is None else known[0]

    def unchanged(self, artefact: Artefact) -> bool:
        """Tell whether the files are those that were checked; a folder deleted since, perhaps to save space,
        counts as such.
        """
        if not self.occupied(artefact.stage, artefact.key):
            return True
        try:
            return bool(self.open(artefact.stage, artefact.key).manifest["files"] == artefact.manifest["files"])
        except DamagedError:
            return False

    def open_or_set_aside(self, stage: str, key: str) -> Artefact | None:
        """Return the artefact, or None with the place free: a damaged folder is renamed, never deleted. Hold
        the lock for this.
        """
        if not self.occupied(stage, key):
            return None
        try:
            return self.open(stage, key)
        except DamagedError as error:
            self._set_aside(stage, key, str(error))
            return None

    def _set_aside(self, stage: str, key: str, reason: str) -> None:
        folder = self.folder(stage, key)
        number = 1
        while os.path.lexists(aside := folder.with_suffix(f".damaged-{number}")):
            number += 1
        folder.rename(aside)
        fsync_folder(folder.parent)
        self._notice(f"{stage} {key} is damaged: {reason}. Set aside as {aside.name}; the stage is redone")
