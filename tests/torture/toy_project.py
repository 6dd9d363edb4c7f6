"""Runs of a tiny experiment in this process, without pages: which stages ran, what was said, how it can be cut off.

What runs is the real runner with the real stages, store and files; a run from nothing takes a second.
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.runs import hashes
from tests.sweeps import TINY
from wmframe.cli.prepare import EXPERIMENT
from wmframe.engine.config.bind import Component, bind
from wmframe.engine.config.compose import compose
from wmframe.engine.graph.node import Node
from wmframe.engine.graph.recipe import nodes_of
from wmframe.engine.runs.runner import Order, run
from wmframe.engine.runs.runs import RunRecord
from wmframe.engine.tracking.progress import Progress
from wmframe.search import contract as search
from wmframe.stages import collect, fit

SMALL = (*TINY, "vision.steps=8", "memory.steps=8", "search.generations=4", "search.check_every=2")
"""Enough of everything to be broken off in the middle."""

COLLECT, VISION, MEMORY, CONTROLLER = "collect", "vision", "memory", "controller"


class BrokenOff(BaseException):  # like KeyboardInterrupt, and nobody catches it
    """What stands for a kill: nothing that a process does at its end is relied on."""


@dataclass(frozen=True)
class Finished:
    """What a run recorded, which nodes it computed, and what it said."""

    record: RunRecord
    ran: frozenset[str]
    said: str


def experiment(root: Path, *overrides: str) -> Component:
    """The tiny experiment, bound."""
    return bind(compose([*SMALL, *overrides, f"paths.root={root}"]), target=EXPERIMENT)


def nodes(root: Path, *overrides: str) -> list[Node]:
    """Its graph."""
    return nodes_of(experiment(root, *overrides))


def finish(root: Path, *overrides: str, bound: Component | None = None) -> Finished:
    """Run it to its end."""
    stream = io.StringIO()
    whole = bound if bound is not None else experiment(root, *overrides)
    order = Order(experiment=whole, overrides=overrides, command="wmframe run", allowed=("wmframe",))
    record = run(order, Progress(stream), lambda *_: None).record()
    ran = frozenset(stage.name for stage in record.stages if stage.state == "ran")
    return Finished(record, ran, stream.getvalue())


def results(root: Path, stages: Sequence[str] = ()) -> dict[str, Any]:
    """The sha256 of every file of every artefact, of all stages or of some."""
    return {name: files for name, files in hashes(root).items() if not stages or name.split("/")[0] in stages}


def break_off(root: Path, stage: str, *overrides: str) -> None:
    """Run it until `stage` has something to go on from, and end there."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(BrokenOff), _trap(stage, patch):
        finish(root, *overrides)
    [work] = root.glob(f"artefacts/{stage}/*.work")
    assert any(path.is_file() for path in work.rglob("*"))


@contextmanager
def _trap(stage: str, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have the stage end at its second batch of episodes, its sixth step or its third generation."""
    calls = 0
    module, name, at = {
        COLLECT: (collect, "record", 2),
        CONTROLLER: (search, "population_returns", 4),  # the third is that of the second generation's finalists
        VISION: (fit._Record, "on_train_batch_end", 6),
        MEMORY: (fit._Record, "on_train_batch_end", 6),
    }[stage]
    real = getattr(module, name)

    def trapped(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == at + (8 if stage == MEMORY else 0):
            raise BrokenOff
        return real(*arguments, **named)

    save = fit._Save.__init__

    def always(self: fit._Save, folder: str, seconds: float, measured: int) -> None:
        save(self, folder, 0.0, measured)

    patch.setattr(module, name, trapped)
    patch.setattr(fit._Save, "__init__", always)
    yield
