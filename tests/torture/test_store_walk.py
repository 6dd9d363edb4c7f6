"""A random walk through the life of a store, against a model of what must be true at every step.

Configs are edited, runs are made and killed (by SIGKILL, in a process of their own), artefacts and resume state are
damaged, swapped and deleted, garbage is collected. Whatever came before: a run computes exactly what is not there
whole, goes on from what was kept, and ends with what its config alone says.
"""

import json
import os
import random
import shutil
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.torture.conftest import Figure
from tests.torture.damage import DAMAGES, flip_any
from tests.torture.scale import FULL, times
from wmframe.engine.durability.checksummed import VouchedLines
from wmframe.engine.durability.completed_files import Kept
from wmframe.engine.durability.files import write_json
from wmframe.engine.runs.garbage import delete, find_garbage
from wmframe.engine.runs.runs import Run, RunRecord, StageRecord
from wmframe.engine.store.artefact import Request
from wmframe.engine.store.store import Store

pytestmark = pytest.mark.slow

STAGES: Final = ("collect", "vision", "memory")
STEPS: Final = 3
WALKS, LENGTH = times(120, 10), times(25, 20)
POINTS: Final = ("before anything", "after a step", "after a file", "with half a file")
CHOSEN: Final = st.integers(0, 2)
CHANCES: Final = st.integers(0, 2**32)


def requests(config: tuple[int, ...]) -> list[Request]:
    """A chain of three results, each made of the one before."""
    chain: list[Request] = []
    for stage, value in zip(STAGES, config, strict=True):
        parents = {chain[-1].stage: chain[-1].key} if chain else {}
        chain.append(Request(stage=stage, code_version=1, config={"value": value}, parents=parents))
    return chain


def facts(request: Request) -> dict[str, object]:
    """What a result has to hold: a function of its key."""
    return {"steps": [f"{request.key} {step}" for step in range(STEPS)]}


def producer(request: Request, dies: str = "") -> Callable[[Path], None]:
    """A stage that keeps what it did, step by step, and one file of its output."""

    def die(point: str) -> None:
        if dies == point:
            os.kill(os.getpid(), signal.SIGKILL)

    def produce(work: Path) -> None:
        die(POINTS[0])
        kept = Kept(work / "output", work / "resume" / "kept.jsonl", request.key, print)
        kept.mend()
        lines = VouchedLines(work / "resume" / "steps.jsonl", request.key, print)
        did = [row["did"] for row in lines.rows]
        for step in range(len(did), STEPS):
            did.append(f"{request.key} {step}")
            lines.add({"did": did[-1]})
            die(POINTS[1])
        die(POINTS[1])  # where an earlier process had done every step
        first = work / "output" / "first.json"
        if not first.is_file():
            write_json(first, {"key": request.key})
            kept.add(first)
        die(POINTS[2])
        if dies == POINTS[3]:
            (work / "output" / "facts.json").write_text("{")
        die(POINTS[3])
        write_json(work / "output" / "facts.json", {"steps": did})

    return produce


def _counted(produce: Callable[[Path], None], called: list[Path]) -> Callable[[Path], None]:
    def counted(work: Path) -> None:
        called.append(work)
        produce(work)

    return counted


class StoreWalk(RuleBasedStateMachine):
    """`whole` holds the keys that are published and undamaged; `runs` the configs that were run to their end."""

    steps_done = 0

    @initialize()
    def start(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="walk-"))
        self.config: tuple[int, ...] = (0, 0, 0)
        self.whole: set[str] = set()
        self.runs: list[tuple[int, ...]] = []
        self.fresh = 0
        self.all: dict[str, Request] = {}

    def teardown(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)

    def store(self) -> Store:
        return Store(self.root / "artefacts")

    def place(self, request: Request) -> Path:
        return self.root / "artefacts" / request.stage / request.key

    @rule(stage=CHOSEN, value=CHOSEN)
    def edit(self, stage: int, value: int) -> None:
        self.config = tuple(value if number == stage else old for number, old in enumerate(self.config))

    @rule()
    def run(self) -> None:
        """Run to the end: exactly what is not there whole is computed."""
        store = self.store()
        for request in requests(self.config):
            called: list[Path] = []
            artefact = store.obtain(request, _counted(producer(request), called))
            assert len(called) == (request.key not in self.whole)
            assert json.loads(artefact.file("facts.json").read_text()) == facts(request)
            assert json.loads(artefact.file("first.json").read_text()) == {"key": request.key}
            assert set(artefact.manifest["files"]) == {"facts.json", "first.json"}
            self.whole.add(request.key)
            self.all[request.key] = request
        self.note()

    def there(self) -> list[str]:
        """Whole results, those that are asked for next where there are any."""
        wanted = sorted({request.key for request in requests(self.config)} & self.whole)
        return wanted or sorted(self.whole)

    def kept(self) -> list[Path]:
        """What killed processes left, as far as there is something in it."""
        files = sorted(self.root.glob("artefacts/*/*.work/*/*"))
        return [path for path in files if path.is_file() and path.stat().st_size > 0]

    def note(self) -> None:
        self.runs.append(self.config)
        folder = self.root / "runs" / f"run-{len(self.runs)}"
        folder.mkdir(parents=True)
        stages = [
            StageRecord(name=request.stage, stage=request.stage, key=request.key, state="ran", seconds=0.0)
            for request in requests(self.config)
        ]
        Run(folder).write(RunRecord(command="", state="failed", started="", stages=tuple(stages)))

    @rule(point=st.sampled_from(POINTS), stage=CHOSEN)
    def run_and_be_killed(self, point: str, stage: int) -> None:
        """A process of its own is killed in a stage, if that has to be computed."""
        chain = requests(self.config)
        child = os.fork()
        if child == 0:
            try:
                store = self.store()
                for number, request in enumerate(chain):
                    store.obtain(request, producer(request, point if number == stage else ""))
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        killed = chain[stage].key not in self.whole
        assert os.WIFSIGNALED(status) == killed
        for request in chain[:stage] if killed else chain:
            self.whole.add(request.key)
            self.all[request.key] = request

    @rule(how=st.sampled_from(sorted(DAMAGES)), chance=CHANCES)
    def damage_an_artefact(self, how: str, chance: int) -> None:
        draw = random.Random(chance)
        there = self.there()
        if not there:
            return
        request, other = self.all[draw.choice(there)], self.all[draw.choice(sorted(self.whole))]
        name = draw.choice(["facts.json", "first.json", "manifest.json"])
        if how == "swapped" and other == request:
            return
        DAMAGES[how](self.place(request) / name, self.place(other) / name)
        self.whole -= {request.key, *([other.key] if how == "swapped" else [])}

    @rule(chance=CHANCES)
    def flip_a_bit_of_an_artefact(self, chance: int) -> None:
        draw = random.Random(chance)
        for key in draw.sample(self.there(), min(1, len(self.whole))):
            flip_any(draw.choice(sorted(path for path in self.place(self.all[key]).iterdir() if path.is_file())), draw)
            self.whole.remove(key)

    @rule(chance=CHANCES)
    def delete_an_artefact(self, chance: int) -> None:
        for key in random.Random(chance).sample(sorted(self.whole), min(1, len(self.whole))):
            shutil.rmtree(self.place(self.all[key]))
            self.whole.remove(key)

    @rule(how=st.sampled_from(sorted(DAMAGES)), chance=CHANCES)
    def damage_what_a_stage_would_go_on_from(self, how: str, chance: int) -> None:
        draw = random.Random(chance)
        files = self.kept()
        if files:
            path = draw.choice(files)
            others = [file for file in files if file.name == path.name]
            DAMAGES[how](path, draw.choice(others))

    @rule(chance=CHANCES)
    def flip_a_bit_of_what_a_stage_would_go_on_from(self, chance: int) -> None:
        draw = random.Random(chance)
        files = self.kept()
        if files:
            flip_any(draw.choice(files), draw)

    @rule(point=st.sampled_from(POINTS[1:]), stage=CHOSEN, how=st.sampled_from(["flip", *DAMAGES]), chance=CHANCES)
    def be_killed_at_something_new_damage_what_is_left_and_run(
        self, point: str, stage: int, how: str, chance: int
    ) -> None:
        """What hits by chance only once in a long walk, at once."""
        self.fresh += 1
        self.edit(stage, 100 + self.fresh)
        self.run_and_be_killed(point, stage)
        if how == "flip":
            self.flip_a_bit_of_what_a_stage_would_go_on_from(chance)
        else:
            self.damage_what_a_stage_would_go_on_from(how, chance)
        self.run()

    @rule()
    def forget_a_run(self) -> None:
        if self.runs:
            shutil.rmtree(self.root / "runs" / f"run-{len(self.runs)}")
            self.runs.pop()

    @rule()
    def collect_garbage(self) -> None:
        """All goes but what runs need that is there."""
        for garbage in find_garbage(self.root, days=0):
            assert delete(garbage)
        wanted = {request.key for config in self.runs for request in requests(config)}
        self.whole &= wanted
        left = {path.name.partition(".")[0] for path in self.root.glob("artefacts/*/*") if path.is_dir()}
        assert left <= wanted
        assert not [path for path in self.root.glob("artefacts/*/*.*") if not path.name.endswith(".lock")]

    @invariant()
    def status_tells_what_the_model_knows(self) -> None:
        StoreWalk.steps_done += 1
        if not hasattr(self, "root"):
            return
        for request in requests(self.config):
            state = self.store().status(request.stage, request.key).state
            assert (state == "cached") == (request.key in self.whole), (state, request)


def test_whatever_happens_to_a_store_its_results_are_right(figure: Figure) -> None:
    StoreWalk.steps_done = 0
    run_state_machine_as_test(
        StoreWalk,
        settings=settings(
            max_examples=WALKS,
            stateful_step_count=LENGTH,
            deadline=None,
            phases=[Phase.generate],  # to shorten a walk that failed takes minutes
            derandomize=not FULL,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert StoreWalk.steps_done > WALKS
    figure("steps of random walks", StoreWalk.steps_done)
