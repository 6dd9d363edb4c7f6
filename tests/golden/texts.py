"""What commands and pages say, without what is another every time: keys, names of runs, times, folders."""

import contextlib
import io
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

from tests.golden import house
from tests.golden.recipes import PINNED

PLANS: Final = (
    (),
    ("experiment=car_racing", "preset=quick"),
    ("experiment=car_racing/reality", "rounds=2", "first_driver=null"),
    ("-m", "ablation=senses", "experiment=toy", "seed=0,1"),
    ("env=toy", "preset=smoke", "rounds=0", "finetune=real", PINNED),
)

NAMES: Final = ("help.txt", "plan.txt", "toy_run.txt", "toy_page.txt", "toy_sweep.txt")

_TIME: Final = re.compile(r"\b\d+(?:\.\d+)? (?:s|min|h|days?)\b")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:]+(?:\.\d+)?(?:\+00:00|Z)?")
_RUN: Final = re.compile(r"\b\d{8}-\d{6}-([a-z_]+)-[0-9a-f]{4}\b")
_KEY: Final = re.compile(r"\b([0-9a-f]{10})(?:[0-9a-f]{6})?\b")


def commands() -> dict[str, str]:
    """Return what is said without anything being computed: plans in an empty folder (the working directory), helps."""
    plans = [_typed("plan", *words) for words in PLANS]
    helps = [_typed(), _typed("--help"), *(_typed(name, "--help") for name in house.commands())]
    return {"plan.txt": "\n".join(map(stripped, plans)), "help.txt": "\n".join(helps)}


def toys(folder: Path) -> dict[str, str]:
    """Return what is said of the toy runs that were made in a folder: by commands, on a run's page, of a sweep."""
    said = [f"$ wmframe {path.stem}\n{path.read_text()}" for path in sorted(folder.glob("said/*.txt"))]
    [sweep] = (path for path in folder.glob("sweeps/*") if not path.is_symlink())
    texts = {
        "toy_run.txt": "\n".join(said),
        "toy_page.txt": outline((folder / "said" / "page.html").read_text()),
        "toy_sweep.txt": f"{(sweep / 'table.md').read_text()}\n{outline((sweep / 'report.html').read_text())}",
    }
    return {name: stripped(text.replace(str(folder), "")) for name, text in texts.items()}


def stripped(text: str) -> str:
    """Return a text in which what is another every time is not: keys, whole or their first ten digits, become k1, k2, …
    in order of appearance.
    """
    for pattern, instead in ((_DATE, "DATE"), (_TIME, "TIME"), (_RUN, r"DATE-\1-RUN")):
        text = pattern.sub(instead, text)
    keys: dict[str, str] = {}
    return _KEY.sub(lambda found: keys.setdefault(found[1], f"k{len(keys) + 1}"), text)


def outline(html: str) -> str:
    """Return the words of a page's headings, paragraphs, lists, captions and tables' heads, a line each."""
    reader = _Outline()
    reader.feed(html)
    reader.close()
    return "\n".join(reader.lines) + "\n"


def _typed(*arguments: str) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert house.command(*arguments) == 0, arguments
    return f"$ {' '.join(('wmframe', *arguments))}\n{out.getvalue()}"


class _Outline(HTMLParser):
    """Collects the words of what is of a page's own making: no numbers of tables, no drawings, no config."""

    _TOLD: Final = frozenset({"title", "h1", "h2", "h3", "p", "li", "th", "figcaption", "caption", "summary"})
    _LEFT: Final = frozenset({"svg", "pre", "style", "script"})

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._tag, self._words = "", ""
        self._left = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._LEFT:
            self._left += 1
        if tag in self._TOLD and not self._left:
            self._end()
            self._tag = tag
        if not self._left:
            self.lines += [f"{tag} {name}: {said}" for name, said in attrs if name in {"alt", "aria-label"} and said]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element without an end has no words."""

    def handle_endtag(self, tag: str) -> None:
        self._left -= tag in self._LEFT
        if tag == self._tag:
            self._end()

    def handle_data(self, data: str) -> None:
        if self._tag and not self._left:
            self._words += data

    def _end(self) -> None:
        if words := " ".join(self._words.split()):
            self.lines.append(f"{self._tag}: {words}")
        self._tag, self._words = "", ""
