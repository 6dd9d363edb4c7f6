"""The toy's results are what they were, to the bit: small runs of every kind, made anew, beside their recording.

What is compared: of every result of every run each array and tensor (type, shape and bytes, by its name), and every
value of its JSON files, scores and histories, in full. It survives the rebuilding, because nothing else is: not how
files are packed, not manifests with their times and keys, not the configs that stand beside weights with the names of
classes (their fields are in `test_graphs`). Which result is which is known by its place in the graph, whatever it is
called and wherever it lies; names of files, tensors and fields may change by a line in `translation.py`.

Bits are the same on any x86-64 processor, because the runs compute with what all of them have (`arithmetic`). Where
other versions of the libraries compute, the tests say so and are skipped.
"""

from pathlib import Path

import pytest

from tests.golden import files, house, toys
from tests.golden.facts import facts
from tests.golden.graphs import counterparts, decode, unlike
from tests.golden.translation import TODAY

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("run", toys.RUNS)
def test_every_number_of_every_result_is_what_it_was(run: str, toy_runs: Path) -> None:
    [(_, planned)] = house.graphs({run: toys.words(run)})
    recorded = files.read("toys.json")
    then = TODAY.recorded(decode(files.read("graphs.json"))[f"toy run: {run}"])
    now = counterparts(then, TODAY.planned(planned))
    folders = files.parse(toy_runs / "results.json")[run]
    assert len(folders) == len(recorded["runs"][run]) > 3
    told = []
    for name, result in recorded["runs"][run].items():
        assert name in now, f"{name} has another place in the graph: see test_graphs"
        before = TODAY.facts_recorded(recorded["results"][result])
        found = TODAY.facts_today(facts(toy_runs / folders[now[name]]))
        told += [f"{name}: {line}" for line in unlike(before, found)]
    assert not told, "\n".join([f"{len(told)} facts differ", *told[:40]])
