"""The pictures of a run: those of its page, taken out of it, and the films that lie beside it.

In: a run's report.html, which carries its pictures as data: addresses. Out: pictures by heading. Nothing is computed:
V and M drew them when the page was written. Called by the server's routes.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from wmframe.dashboard.reading import Cache, regular_file, stamp
from wmframe.engine.runs.runs import FILM_FOLDER, NEWEST_FILM

FILMS = {".webp": "image/webp", ".gif": "image/gif"}
"""What `wmframe watch` writes into a run's folder, and a run into its folder of films, by suffix."""

_PICTURE = re.compile(r"data:image/(?:png|webp|gif);base64,[A-Za-z0-9+/]+={0,2}")
_MOST = 500


@dataclass(frozen=True)
class Picture:
    """One picture: its address, what it shows in words, and a still instead of an animation, if there is one."""

    source: str
    alt: str
    still: str = ""


@dataclass(frozen=True)
class Group:
    """Pictures under one heading of the page."""

    title: str
    pictures: Sequence[Picture]


class Galleries:
    """Reads pages, each once as long as nobody writes it again."""

    def __init__(self) -> None:
        self._groups: Cache[list[Group]] = Cache(32)

    def groups(self, folder: Path) -> list[Group]:
        """Return the pictures of the page in a run's folder, and the names of its films as one more group.

        The rounds' films are on the page once there is one; before, they are all that there is to see.
        """
        page = regular_file(folder, "report.html")
        drawn = self._groups.get(page, stamp(page), lambda: _read(page)) if page is not None else []
        films = sorted(path.name for path in folder.iterdir() if path.suffix in FILMS and path.stem != NEWEST_FILM)
        rounds = [f"{FILM_FOLDER}/{name}" for name in _in_order(folder / FILM_FOLDER)] if page is None else []
        filmed = [Picture(name, name) for name in [*rounds, *films][:_MOST] if regular_file(folder, name) is not None]
        return [*drawn, *([Group("Films", filmed)] if filmed else [])]


def _in_order(folder: Path) -> list[str]:
    """Return the names of the films in a folder: rounds first, round 10 behind round 9, then the finished agent."""
    names = [path.name for path in folder.glob("*") if path.suffix in FILMS]
    return sorted(names, key=lambda name: (not name.startswith("round_"), len(name), name))


def _read(page: Path) -> list[Group]:
    parser = _Pictures()
    parser.feed(page.read_text(encoding="utf-8", errors="replace"))
    return [Group(title, pictures) for title, pictures in parser.groups.items() if pictures]


class _Pictures(HTMLParser):
    """Collects the `<img>`s of the gallery's section under their `<h3>`s."""

    def __init__(self) -> None:
        super().__init__()
        self.groups: dict[str, list[Picture]] = {}
        self._inside = self._in_heading = False
        self._title = self._still = ""
        self._count = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "section":
            self._inside = given.get("aria-labelledby") == "gallery"
        if not self._inside:
            return
        if tag == "h3":
            self._in_heading, self._title = True, ""
        elif tag == "source":
            self._still = given.get("srcset", "")
        elif tag == "img" and self._count < _MOST and _PICTURE.fullmatch(given.get("src", "")):
            still = self._still if _PICTURE.fullmatch(self._still) else ""
            self.groups.setdefault(self._title, []).append(Picture(given["src"], given.get("alt", ""), still))
            self._still = ""
            self._count += 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "section":
            self._inside = False
        if tag == "h3":
            self._in_heading = False

    def handle_data(self, data: str) -> None:
        if self._in_heading:
            self._title += data
