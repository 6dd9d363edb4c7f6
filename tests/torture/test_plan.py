"""`plan` is the truth: what it says will run is what runs, to the stage and the key, whatever the store looks like.

Two hundred random edits of the schema's fields, one upon the other, each in a store in which something was damaged,
deleted, begun or finished but not published. The graph, the store and the command are real; the stages are trivially
small, so that the edits may lie anywhere. Then real runs, edit by edit, against what was planned.
"""

import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from tests.torture.conftest import Figure
from tests.torture.damage import DAMAGES, flip_any
from tests.torture.scale import cases, times
from tests.torture.schema import edited, leaves
from tests.torture.toy_project import SMALL, break_off, experiment, finish
from wmframe.cli import plan
from wmframe.cli.main import main
from wmframe.cli.prepare import Job
from wmframe.engine.config.bind import Component
from wmframe.engine.durability.files import write_json
from wmframe.engine.errors import UserError
from wmframe.engine.graph.node import Node
from wmframe.engine.graph.recipe import nodes_of
from wmframe.engine.store.artefact import seal
from wmframe.engine.store.store import Store

pytestmark = pytest.mark.slow

LINE: Final = re.compile(r"  (\S+) +(cached|continues|will run) +([0-9a-f]{16})")
Said = dict[tuple[str, str], str]
Capture = pytest.CaptureFixture[str]

REAL: Final = (
    (),
    ("world.temperature=0.8",),
    ("memory.mixtures=3",),
    ("vision.latent_size=3",),
    ("evaluate.episodes=3",),
    ("seed=7",),
    ("env.speed=0.2",),
    ("collect.first.held.longest=5",),
    ("search.sigma=0.2", "trainer.save_seconds=7"),
    ("rounds=2",),
    ("rounds=2", "later.later_share=0.25"),
    ("rounds=2", "later.recency=0.5"),
    ("rounds=2", "later.memory=new"),
    ("world=reality", "world.most_steps=9"),
    ("memory=untrained", "memory.steps=0", "memory.hidden_size=8", "world=reality", "world.most_steps=9"),
    ("controller=hidden", "controller.units=3"),
    ("trainer.workers=2", "name=another"),
)


def planned(root: Path, capsys: Capture, *overrides: str) -> Said:
    """What `wmframe plan` says of every stage, by name and key."""
    capsys.readouterr()
    assert main(["plan", *SMALL, *overrides, f"paths.root={root}"]) == 0
    return _read(capsys.readouterr().out)


def _read(out: str) -> Said:
    found = [LINE.match(line) for line in out.splitlines()]
    return {(match[1], match[3]): match[2] for match in found if match is not None}


def to_run(said: Said) -> set[tuple[str, str]]:
    return {node for node, word in said.items() if word != "cached"}


def foretold(whole: Component, capsys: Capture) -> Said:
    """What the command says of an experiment once it is composed, which takes it ten times as long as to plan."""
    capsys.readouterr()
    for stage in plan._stages([Job((), {}, whole)], ("wmframe",)):
        plan._print(stage, 1)
    return _read(capsys.readouterr().out)


def trivial(nodes: list[Node], root: Path) -> set[tuple[str, str]]:
    """Obtain every node from the store, the stages' work done by something small; return those that were computed."""
    ran = set()
    store = Store(root / "artefacts")
    for node in nodes:

        def produce(work: Path, node: Node = node) -> None:
            ran.add((node.name, node.key))
            shutil.rmtree(work / "output")
            (work / "output").mkdir()
            write_json(work / "output" / "facts.json", {"node": node.name})

        store.obtain(node.request, produce)
    return ran


def nothing(root: Path, node: Node, chance: random.Random) -> None:
    return


def damage(root: Path, node: Node, chance: random.Random) -> None:
    """Damage a file of an artefact, where there is one."""
    files = sorted(path for path in _folder(root, node).rglob("*") if path.is_file())
    if files:
        how = chance.choice(["flip", *sorted(set(DAMAGES) - {"swapped"})])
        path = chance.choice(files)
        if how == "flip":
            flip_any(path, chance)
        else:
            DAMAGES[how](path, path)


def delete(root: Path, node: Node, chance: random.Random) -> None:
    shutil.rmtree(_folder(root, node), ignore_errors=True)


def begin(root: Path, node: Node, chance: random.Random) -> None:
    """Leave what a killed process leaves in the middle of its work."""
    delete(root, node, chance)
    work = _folder(root, node).with_suffix(".work")
    (work / "resume").mkdir(parents=True, exist_ok=True)
    (work / "resume" / "state.json").write_text("{")


def seal_it(root: Path, node: Node, chance: random.Random) -> None:
    """Leave what a process leaves that is killed just before it publishes."""
    delete(root, node, chance)
    output = _folder(root, node).with_suffix(".work") / "output"
    output.mkdir(parents=True, exist_ok=True)
    write_json(output / "facts.json", {"node": node.name})
    seal(output, node.request, wall_seconds=0.0)


DEEDS: Final[tuple[Callable[[Path, Node, random.Random], None], ...]] = (nothing, damage, delete, begin, seal_it)


def _folder(root: Path, node: Node) -> Path:
    return root / "artefacts" / node.stage.name / node.key


def test_what_is_planned_is_what_runs_after_any_edit_and_any_damage(
    tmp_path: Path, capsys: Capture, figure: Figure
) -> None:
    chance = random.Random(4)
    edits = times(200, 25)
    done = kept = 0
    names: set[str] = set()
    first = experiment(tmp_path, "rounds=2")
    now, steps = first, 0
    while done < edits:
        if steps > 5:  # back to where it began, whose results are there
            now, steps = first, 0
        leaf = chance.choice([leaf for leaf in leaves(now) if leaf.path[0] not in {"paths", "tracker", "rounds"}])
        change = edited(now, leaf)
        try:
            nodes = nodes_of(change[1]) if change is not None else []
        except UserError:  # rounds that cannot follow each other are refused, here as by the command
            continue
        if change is None:
            continue
        now, steps = change[1], steps + 1
        names.add(leaf.key)
        for node in chance.sample(nodes, 2):
            chance.choice(DEEDS)(tmp_path, node, chance)
        said = foretold(now, capsys)
        assert set(said) == {(node.name, node.key) for node in nodes}, leaf
        ran = trivial(nodes, tmp_path)
        assert ran == to_run(said), leaf
        assert trivial(nodes, tmp_path) == to_run(foretold(now, capsys)) == set()
        done += 1
        kept += len(nodes) - len(ran)
    assert kept > done  # else it would be shown of runs from nothing alone
    figure("random edits planned as they ran", f"{done} of {done}, of {len(names)} fields")


@pytest.mark.parametrize("offset", cases(list(range(8)), 1))
def test_real_runs_run_what_was_planned(tmp_path: Path, capsys: Capture, figure: Figure, offset: int) -> None:
    """Edit by edit, with something damaged, deleted or begun in between."""
    chance = random.Random(offset)
    edits = REAL[offset::8]
    for overrides in edits:
        for deed in (nothing, damage, delete):
            told = [node for node in nodes_of(experiment(tmp_path, *overrides)) if _folder(tmp_path, node).is_dir()]
            if told:
                deed(tmp_path, chance.choice(told), chance)
            said = planned(tmp_path, capsys, *overrides)
            assert finish(tmp_path, *overrides).ran == {name for name, _ in to_run(said)}, (overrides, deed)
    figure("real runs planned as they ran", 3 * len(edits))


def test_an_interrupted_stage_is_planned_to_continue(tmp_path: Path, capsys: Capture) -> None:
    break_off(tmp_path, "memory")
    said: dict[str, Any] = {name: word for (name, _), word in planned(tmp_path, capsys).items()}
    assert said["memory.1"] == "continues"
    assert {name for name, word in said.items() if word == "cached"} == {"collect.1", "vision.1", "latents.1_1"}
    assert finish(tmp_path).ran == {"memory.1", "controller.1", "agent", "baseline", "evaluate"}
