"""What an interrupted stage goes on from is damaged in every way: it starts over, or goes on from what is still good.

In every case the same command finishes, with the bits of a run that nothing happened to: no state is used of which a
bit is wrong or that is another's, and none has to be deleted by hand.
"""

import random
import shutil
from pathlib import Path
from typing import Final

import pytest

from tests.torture.conftest import Figure
from tests.torture.damage import DAMAGES, flip_any
from tests.torture.scale import cases, times
from tests.torture.toy_project import (
    COLLECT,
    CONTROLLER,
    MEMORY,
    VISION,
    break_off,
    finish,
    nodes,
    results,
)
from wmframe.engine.durability.completed_files import Kept
from wmframe.search.evolve import Ledger
from wmframe.stages.resume import PlainCheckpoints

pytestmark = pytest.mark.slow

FILES: Final = {
    COLLECT: ("resume/kept.jsonl", "output/held-0000.h5", "output/brownian-0000.part"),
    VISION: ("resume/fit/state.json", "resume/fit/tensors-5.safetensors", "output/history.jsonl"),
    MEMORY: ("resume/fit/state.json", "resume/fit/tensors-5.safetensors", "output/history.jsonl"),
    CONTROLLER: (
        *("resume/generations.jsonl", "resume/kept.jsonl", "output/history.jsonl", "output/starts.safetensors"),
    ),
}
ALL: Final = [(stage, name, how) for stage in FILES for name in FILES[stage] for how in DAMAGES]
LIKE_A_KILL: Final = {"output/history.jsonl", "output/brownian-0000.part"}
"""What is written anew in any case."""
NOTHING_LEFT: Final = {
    ("resume/fit/state.json", "deleted"),
    *(
        (f"resume/{name}.jsonl", how)
        for name in ("kept", "generations")
        for how in ("empty", "cut in half", "a byte short", "deleted")
    ),
}
"""What nobody can tell from a kill that came earlier: it is gone on from there without a word."""
OTHER: Final = ("seed=2",)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For every stage that keeps a state two projects in which it was broken off; and one that is whole."""
    folder = tmp_path_factory.mktemp("broken")
    finish(folder / "whole")
    for stage in FILES:
        break_off(folder / stage, stage)
        break_off(folder / f"other {stage}", stage, *OTHER)
    for name in (COLLECT, f"other {COLLECT}"):
        output = work_of(folder / name) / "output"
        content = (output / "held-0000.h5").read_bytes()  # a kill in the middle of the next shard leaves such a file
        (output / "brownian-0000.part").write_bytes(content[: len(content) // 3])
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return tmp_path / "project"


def work_of(root: Path) -> Path:
    [work] = root.glob("artefacts/*/*.work")
    return work


def test_the_table_of_files_is_what_is_left_behind(broken: Path) -> None:
    for stage, expected in FILES.items():
        work = work_of(broken / stage)
        left = {path.relative_to(work).as_posix() for path in work.rglob("*") if path.is_file()}
        assert {name for name in left if (work / name).stat().st_size > 0} == set(expected), stage


@pytest.mark.parametrize("stage", list(FILES))
def test_undamaged_it_goes_on(broken: Path, project: Path, stage: str) -> None:
    shutil.copytree(broken / stage, project)
    again = finish(project)
    assert f"{stage}.1  resuming at" in again.said
    assert "damaged" not in again.said
    assert results(project) == results(broken / "whole")


@pytest.mark.parametrize(("stage", "name", "how"), cases(ALL, 12))
def test_damaged_it_ends_with_the_same_bits(broken: Path, project: Path, stage: str, name: str, how: str) -> None:
    shutil.copytree(broken / stage, project)
    other = project / "other"
    shutil.copytree(work_of(broken / f"other {stage}"), other)
    work = work_of(project)
    DAMAGES[how](work / name, other / name)
    again = finish(project)
    assert results(project) == results(broken / "whole")
    assert not work.exists()
    if name in LIKE_A_KILL or (name, how) in NOTHING_LEFT:
        return
    assert any(said in again.said for said in ("starts over", "is damaged", "is made again")), again.said


@pytest.mark.parametrize("stage", cases(list(FILES), 1))
@pytest.mark.parametrize("part", ["", "resume", "output"])
@pytest.mark.parametrize("how", ["a link", "a file", "another's"])
def test_whole_folders_of_it_are_not_taken_for_others(
    broken: Path, project: Path, stage: str, part: str, how: str
) -> None:
    shutil.copytree(broken / stage, project)
    folder = work_of(project) / part
    folder.rename(project / "moved")
    if how == "a link":
        folder.symlink_to(project / "moved")
    elif how == "a file":
        folder.write_text("x")
    else:
        shutil.copytree(work_of(broken / f"other {stage}") / part, folder)
    finish(project)
    assert results(project) == results(broken / "whole")
    assert not list(project.glob("artefacts/*/*.work"))


def test_a_state_of_another_machine_is_begun_anew(broken: Path, project: Path) -> None:
    """As the ledger would be of a library that computes other candidates: it is whole, and of no use."""
    shutil.copytree(broken / CONTROLLER, project)
    path = work_of(project) / "resume" / "generations.jsonl"
    key = work_of(project).stem
    told = Ledger(path, key, print).generations
    path.unlink()
    ledger = Ledger(path, key, print)
    for generation in reversed(told):
        ledger.add(generation)
    again = finish(project)
    assert "cannot be repeated bit for bit here, so the search cannot go on; it starts over" in again.said
    assert results(project) == results(broken / "whole")


def test_flipped_bits_of_it_are_found(broken: Path, project: Path, figure: Figure) -> None:
    """Each flip is asked of whoever opens the file: none may come through as it was."""
    chance = random.Random(7)
    count = times(1000, 200)
    for number in range(count):
        stage = list(FILES)[number % len(FILES)]
        shutil.copytree(work_of(broken / stage), project)
        key = work_of(broken / stage).stem
        names = [name for name in FILES[stage] if name.startswith("resume") or "held" in name or "starts" in name]
        path = project / chance.choice([name for name in names if (project / name).stat().st_size > 0])
        flipped = flip_any(path, chance)
        assert _found(project, path, key), (stage, flipped)
        shutil.rmtree(project)
    figure("flipped bits of resume state found", f"{count} of {count}")


def _found(work: Path, path: Path, key: str) -> bool:
    said: list[str] = []
    if path.parent.name == "fit":
        return PlainCheckpoints(key).saved(path.parent, said.append) is None and len(said) == 1
    if path.name == "generations.jsonl":
        whole = path.read_bytes().count(b"\n")
        return len(Ledger(path, key, said.append).generations) < max(whole, 2)
    kept = Kept(work / "output", work / "resume" / "kept.jsonl", key, said.append)
    kept.mend()
    return not (work / "output" / "held-0000.h5").exists() and not (work / "output" / "starts.safetensors").exists()


def test_two_graphs_have_no_key_in_common() -> None:
    """Else a swapped state would be nobody else's."""
    mine, others = nodes(Path()), nodes(Path(), *OTHER)
    assert not {node.key for node in mine if node.stage.name in FILES} & {node.key for node in others}
