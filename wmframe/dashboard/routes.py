"""From a path of the local page to its answer: the page's own files, JSON, and what runs hold.

In: the path of a request. Out: an `Answer`, or None where there is nothing. A run is found only by its name among those
that are there, so no path leads anywhere else. Called by the server, from several threads.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path, PurePath
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from wmframe.dashboard.curves import Histories
from wmframe.dashboard.gallery import FILMS, Galleries
from wmframe.dashboard.lineage import lineage
from wmframe.dashboard.overview import Project
from wmframe.dashboard.reading import regular_file

OWN: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types"
)
"""The policy of our own page: nothing from elsewhere, no inline script or style, no markup made of text."""

REPORT: Final = (
    "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The policy of a run's page: what it carries itself, and no script, whoever wrote it."""

_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True)
class Answer:
    """What to send: the bytes, their media type, and the content-security-policy they go under."""

    body: bytes
    kind: str
    policy: str = OWN


class Routes:
    """Answers for one project. `site` has the files of the page by name."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._histories, self._galleries = Histories(project), Galleries()
        self.site = {entry.name: entry.read_bytes() for entry in files(__package__).joinpath("site").iterdir()}

    def answer(self, target: str) -> Answer | None:
        """Return what stands at a request's target, None if nothing does."""
        # Parted first, decoded second: an encoded slash is a part of a name, and no name holds one.
        parts = [unquote(part) for part in urlsplit(target).path.split("/")[1:]]
        try:
            return self._at(parts)
        except FileNotFoundError:  # deleted between two looks
            return None

    def _at(self, parts: Sequence[str]) -> Answer | None:
        match parts:
            case [""]:
                return self._own("index.html")
            case ["api", "runs"]:
                return _json(asdict(self._project.overview()))
            case ["api", kind, run]:
                folder = self._project.folders().get(run)
                return None if folder is None else self._about(kind, folder)
            case ["runs", run, _] | ["runs", run, "films", _]:
                folder = self._project.folders().get(run)
                return None if folder is None else _of_run(folder, *parts[2:])
            case [name]:
                return self._own(name)
        return None

    def _own(self, name: str) -> Answer | None:
        body = self.site.get(name)
        return None if body is None else Answer(body, _TYPES[PurePath(name).suffix])

    def _about(self, kind: str, folder: Path) -> Answer | None:
        match kind:
            case "curves":
                return _json(asdict(self._histories.curves(folder)))
            case "gallery":
                return _json({"groups": [asdict(group) for group in self._galleries.groups(folder)]})
            case "lineage":
                return _json(asdict(lineage(self._project, folder)))
        return None


def _of_run(folder: Path, *names: str) -> Answer | None:
    """Return a run's page or one of its films; nothing else of a run is handed out."""
    kind = _TYPES[".html"] if names == ("report.html",) else FILMS.get(PurePath(names[-1]).suffix)
    path = regular_file(folder, *names) if kind is not None else None
    return None if path is None or kind is None else Answer(path.read_bytes(), kind, REPORT)


def _json(value: Mapping[str, Any]) -> Answer:
    return Answer(json.dumps(value, allow_nan=False).encode(), "application/json")
