"""What a run tells its tracker while it works: the stages' rows, and the results with what they were made of.

Rows and artefacts come in, calls of a `Tracker` go out. Made by the runner, once a run.
"""

from collections import defaultdict
from collections.abc import Callable

from wmframe.engine.store.artefact import MANIFEST, Artefact
from wmframe.engine.store.shelf import parent_stage
from wmframe.engine.tracking.history import Row
from wmframe.engine.tracking.tracker import ArtefactInfo, Tracker


class Mirror:
    """Passes rows and results on; the steps of a later round are counted on from those of the last."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._last: dict[str, int] = defaultdict(int)

    def stage(self, name: str) -> Callable[[Row], None]:
        """Return who listens to one run of a stage."""
        offset = self._last[name]

        def listen(row: Row) -> None:
            self._last[name] = max(self._last[name], offset + int(row["step"]))
            self._tracker.log({**row, "step": offset + int(row["step"])})

        return listen

    def artefact(self, artefact: Artefact, *, made: bool) -> None:
        """Tell of a result, its manifest in front of its files."""
        manifest = artefact.manifest
        facts = {name: manifest[name] for name in ("key", "code_version", "config", "seeds", "created", "files")}
        store = artefact.path.parent.parent
        parents = {role: f"{parent_stage(store, role, key)}-{key}" for role, key in manifest["parents"].items()}
        sizes = {name: int(file["bytes"]) for name, file in manifest["files"].items()}
        self._tracker.artefact(
            ArtefactInfo(
                name=f"{artefact.stage}-{artefact.key}",
                kind=artefact.stage,
                folder=artefact.path,
                files={MANIFEST: (artefact.path / MANIFEST).stat().st_size, **sizes},
                facts={**facts, "parents": parents},
                made=made,
            )
        )
