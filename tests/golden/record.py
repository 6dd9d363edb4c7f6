"""`python -m tests.golden.record [graphs] [toys] [zoo] [texts]`: record anew, all of it or some.

Of graphs, toys and the zoo what is recorded is what must stay: they are recorded anew where something is meant to
change, not where names move, and then the table in `translation.py` is emptied. Texts are recorded anew whenever words
are changed on purpose; the difference is there to be read.
"""

import contextlib
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tests.golden import files, house, texts, toys, zoo
from tests.golden.facts import facts
from tests.golden.graphs import Graph, encode
from tests.golden.recipes import SMALL, Recipe, recipes


def all_recipes() -> dict[str, Recipe]:
    """Return every recipe, those of the toy runs among them."""
    return {**recipes(), **{f"toy run: {run}": Recipe(toys.words(run), SMALL) for run in toys.RUNS}}


def planned() -> dict[str, Graph]:
    """Return the graph of every recipe, as it is planned today."""
    return dict(house.graphs({name: recipe.words for name, recipe in all_recipes().items()}))


def record_graphs(_: Path) -> None:
    """Record the graph of every recipe."""
    files.write("graphs.json", encode(planned(), {n: r.like for n, r in all_recipes().items() if r.like}))


def record_toys(folder: Path) -> None:
    """Record the facts of every result of the toy runs; a result that several runs share stands there once."""
    found: dict[str, str] = {}
    runs: dict[str, dict[str, str]] = {}
    for run, nodes in files.parse(folder / "results.json").items():
        for node, place in nodes.items():
            runs.setdefault(run, {})[node] = found.setdefault(place, f"{run}: {node}")
    results = {name: facts(folder / place) for place, name in found.items()}
    arithmetic = files.parse(folder / "arithmetic.json")
    files.write("toys.json", {"arithmetic": arithmetic, "runs": runs, "results": results})


def record_zoo(_: Path) -> None:
    """Record what the shipped agents earned."""
    files.write("zoo.json", zoo.shipped())


def record_texts(folder: Path) -> None:
    """Record what commands and pages say."""
    with tempfile.TemporaryDirectory() as empty, contextlib.chdir(empty):
        for name, text in (texts.commands() | texts.toys(folder)).items():
            (files.RECORDED / name).write_text(text)


RECORDERS: Final[Mapping[str, Callable[[Path], None]]] = {
    "graphs": record_graphs,
    "toys": record_toys,
    "zoo": record_zoo,
    "texts": record_texts,
}


def main(names: Sequence[str]) -> None:
    """Record what is named, or everything."""
    wanted: Any = names or list(RECORDERS)
    with tempfile.TemporaryDirectory() as folder:
        if {"toys", "texts"} & {*wanted}:
            toys.make(Path(folder))
        for name in wanted:
            RECORDERS[name](Path(folder))
            print(f"recorded: {name}")


if __name__ == "__main__":
    main(sys.argv[1:])
