"""A damaged file is detected, never used: every kind of file of every artefact, damaged in every way.

The damaged stage alone is computed again, after one line that names the file, and everything ends with the bits of the
undamaged run. What stood damaged is set aside, not deleted.
"""

import random
import shutil
from pathlib import Path
from typing import Final

import pytest

from tests.torture.conftest import Figure
from tests.torture.damage import DAMAGES, flip_any
from tests.torture.scale import cases
from tests.torture.toy_project import Finished, finish, nodes, results
from wmframe.engine.runs.runs import RunRecord
from wmframe.engine.store.store import Store

pytestmark = pytest.mark.slow

FILES: Final = {
    "collect": ("brownian-0000.h5", "held-0000.h5", "summary.json"),
    "vision": ("component.json", "history.jsonl", "weights.safetensors"),
    "latents": (
        *("actions.npy", "done.npy", "limits.npy", "logvar.npy"),
        *("mu.npy", "rewards.npy", "seeds.npy", "starts.npy"),
    ),
    "memory": ("component.json", "history.jsonl", "weights.safetensors"),
    "controller": ("component.json", "history.jsonl", "search.json", "starts.safetensors", "weights.safetensors"),
    "agent": (
        "agent.json",
        *("controller/component.json", "controller/starts.safetensors", "controller/weights.safetensors"),
        *("memory/component.json", "memory/weights.safetensors", "sample.h5"),
        *("vision/component.json", "vision/weights.safetensors"),
    ),
    "baseline": ("scores.json",),
    "evaluate": ("history.jsonl", "scores.json"),
}
ALL: Final = [(stage, name, how) for stage in FILES for name in (*FILES[stage], "manifest.json") for how in DAMAGES]
FLIPS: Final = 1000
OTHER: Final = ("seed=2", "evaluate.first_seed=50")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Finished]:
    """A project with a finished run, and beside it one of which every result is another."""
    root = tmp_path_factory.mktemp("whole")
    finish(root, *OTHER)
    return root, finish(root)


@pytest.fixture
def project(whole: tuple[Path, Finished], tmp_path: Path) -> Path:
    """A copy of that project, to be damaged."""
    shutil.copytree(whole[0] / "artefacts", tmp_path / "artefacts")
    return tmp_path


def folder_of(root: Path, stage: str, *overrides: str) -> Path:
    [key] = [node.key for node in nodes(root, *overrides) if node.stage.name == stage]
    return root / "artefacts" / stage / key


def test_the_table_of_files_is_what_a_run_makes(whole: tuple[Path, Finished]) -> None:
    made = {name.split("/")[0]: tuple(sorted(files)) for name, files in results(whole[0]).items()}
    assert made == FILES


@pytest.mark.parametrize(("stage", "name", "how"), cases(ALL, 12))
def test_the_stage_is_redone_with_a_line_that_says_so(
    whole: tuple[Path, Finished], project: Path, stage: str, name: str, how: str
) -> None:
    folder, other = folder_of(project, stage), folder_of(project, stage, *OTHER)
    same = how == "swapped" and (folder / name).read_bytes() == (other / name).read_bytes()
    DAMAGES[how](folder / name, other / name)
    again = finish(project)
    assert scores(again.record) == scores(whole[1].record)
    if same:
        assert again.ran == frozenset()
        return
    assert {node.split(".")[0] for node in again.ran} == {stage}
    [said] = [line for line in again.said.splitlines() if "damaged" in line]
    assert said.startswith(f"{stage} {folder.name} is damaged: ")
    assert name in said
    assert folder.with_suffix(".damaged-1").is_dir()
    if how == "swapped":
        assert Store(project / "artefacts").status(stage, other.name).state == "damaged"
        finish(project, *OTHER)
    assert results(project) == results(whole[0])
    assert finish(project).ran == frozenset()


@pytest.mark.parametrize("stage", cases(list(FILES), 1))
@pytest.mark.parametrize("how", ["another's", "a link", "a file", "deleted", "with a file too many"])
def test_a_whole_folder_is_not_taken_for_another(
    whole: tuple[Path, Finished], project: Path, stage: str, how: str
) -> None:
    folder, other = folder_of(project, stage), folder_of(project, stage, *OTHER)
    moved = project / "moved"
    if how == "with a file too many":
        shutil.copy(next(project.glob("artefacts/collect/*/*.h5")), folder / "held-0001.h5")
    else:
        folder.rename(moved)
    if how == "another's":
        shutil.copytree(other, folder)
    elif how == "a link":
        folder.symlink_to(moved)
    elif how == "a file":
        folder.write_text("")
    again = finish(project)
    assert {node.split(".")[0] for node in again.ran} == {stage}
    assert ("is damaged" in again.said) == (how != "deleted")
    assert results(project) == results(whole[0])


def test_every_one_of_a_thousand_flipped_bits_is_found(whole: tuple[Path, Finished], figure: Figure) -> None:
    """Half of them fall on every byte alike, half on every file alike."""
    chance = random.Random(6)
    root = whole[0]
    files = sorted(path for path in root.glob("artefacts/*/*/*") if path.is_file())
    sizes = [path.stat().st_size for path in files]
    found = 0
    for number in range(FLIPS):
        [path] = chance.choices(files, weights=sizes if number % 2 == 0 else None)
        content = path.read_bytes()
        flipped = flip_any(path, chance)
        stage, key = path.parts[-3:-1]
        status = Store(root / "artefacts").status(stage, key)
        path.write_bytes(content)
        assert status.state == "damaged", (stage, key, flipped)
        assert path.name in status.reason
        found += 1
    assert all(Store(root / "artefacts").status(*path.parts[-3:-1]).state == "cached" for path in files)
    figure("flipped bits found", f"{found} of {FLIPS}")


def scores(record: RunRecord) -> object:
    return record.scores, record.seeds
