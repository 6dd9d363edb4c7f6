"""A part of one's own: an edit of its code recomputes what it made and no more, and no result has another's key."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runs import hashes, record
from tests.sweeps import PLUGINS, TINY
from wmframe.cli.main import main
from wmframe.dashboard.lineage import lineage
from wmframe.dashboard.overview import Project
from wmframe.engine.config import user_code
from wmframe.engine.config.shipped import choices
from wmframe.engine.runs.garbage import find_garbage
from wmframe.engine.runs.runs import Run
from wmframe.engine.store.keys import key

Capture = pytest.CaptureFixture[str]

HELPER = """
RESULTS_VERSION = 1

def doubled(x):
    return x + x
"""
LINE = re.compile(r"  (\S+) +(cached|continues|will run) +([0-9a-f]{16})\s*(.*)")
MINE = ("--allow", "my_memory", "--allow", "my_helper", "--config-dir", "conf", "memory=mine", *TINY)


def write_project(folder: Path) -> None:
    """A memory of one's own in two files, one of which rewrites the other if it is told to from outside."""
    (folder / "conf" / "memory").mkdir(parents=True)
    yaml = (PLUGINS / "conf" / "memory" / "gru.yaml").read_text().replace("gru_memory", "my_memory")
    (folder / "conf" / "memory" / "mine.yaml").write_text(yaml)
    text = (PLUGINS / "gru_memory.py").read_text().replace("+ error)", "+ late(error))")
    (folder / "my_memory.py").write_text(text + LATE)
    (folder / "my_helper.py").write_text(HELPER)


LATE = """

def late(error: Tensor) -> Tensor:
    import os
    from pathlib import Path

    if "EDITED" in os.environ:
        for file in ("my_memory.py", "my_helper.py"):
            Path(file).write_text("raise ValueError('edited meanwhile')")
    from my_helper import doubled

    return doubled(error)
"""


def wmframe(folder: Path, *arguments: str, edited: bool = False) -> str:
    """Run a command in a process of its own, in the project's folder, as a user does; return what it said."""
    import os

    done = subprocess.run(
        [sys.executable, "-m", "wmframe", *arguments],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", **({"EDITED": "1"} if edited else {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of one's own in which one run was made."""
    folder = tmp_path_factory.mktemp("made")
    write_project(folder)
    wmframe(folder, "run", *MINE)
    return folder


@pytest.fixture
def mine(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of it to edit, somewhere else, and the working directory."""
    shutil.copytree(made, tmp_path / "elsewhere", symlinks=True)
    monkeypatch.chdir(tmp_path / "elsewhere")
    yield tmp_path / "elsewhere"
    user_code.release()


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def plan(capsys: Capture, *overrides: str) -> dict[str, tuple[str, str, str]]:
    """Of every stage what the plan says, its key and the reason."""
    capsys.readouterr()
    assert main(["plan", *MINE, *overrides]) == 0
    found = [LINE.match(line) for line in capsys.readouterr().out.splitlines()]
    return {match[1]: (match[2], match[3], match[4]) for match in found if match is not None}


def to_run(said: dict[str, tuple[str, str, str]]) -> set[str]:
    return {name for name, (word, _, _) in said.items() if word != "cached"}


BELOW = {"memory.1", "controller.1", "agent", "evaluate"}


def test_an_edit_recomputes_what_it_is_in_and_all_below_and_is_named(mine: Path, capsys: Capture) -> None:
    assert to_run(plan(capsys)) == set(), "the same project elsewhere has the same results"
    edit(mine / "my_memory.py", "nll + late(error)", "nll + 2 * late(error)")
    said = plan(capsys)
    assert to_run(said) == BELOW
    assert said["memory.1"][2].endswith("my_memory.py changed")
    assert "~" in said["controller.1"][2], "it still costs what it cost"
    ran = wmframe(mine, "run", *MINE)
    assert "memory.1: cached" not in ran
    assert "vision.1: cached" in ran
    assert to_run(plan(capsys)) == set()


def test_comments_and_what_the_user_says_is_the_same_recompute_nothing(mine: Path, capsys: Capture) -> None:
    (mine / "my_memory.py").write_text("# mine\n" + (mine / "my_memory.py").read_text())
    edit(mine / "my_helper.py", "x + x", "2 * x")
    assert to_run(plan(capsys)) == set()
    edit(mine / "my_helper.py", "RESULTS_VERSION = 1", "RESULTS_VERSION = 2")
    said = plan(capsys)
    assert to_run(said) == BELOW
    assert "my_helper.py changed (RESULTS_VERSION 1 → 2)" in said["memory.1"][2]


def test_an_import_that_comes_or_goes_is_named(mine: Path, capsys: Capture) -> None:
    (mine / "my_memory.py").write_text("import my_other\n" + (mine / "my_memory.py").read_text())
    (mine / "my_other.py").write_text("")
    capsys.readouterr()
    assert main(["plan", "--allow", "my_other", *MINE]) == 0
    assert "my_memory.py changed; my_other.py is imported now" in capsys.readouterr().out


def test_planning_imports_neither_torch_nor_the_users_module(mine: Path) -> None:
    code = (
        "import sys\nfrom wmframe.cli.main import main\n"
        f"assert main({['plan', *MINE]}) == 0\n"
        "assert not {'torch', 'my_memory', 'my_helper'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=mine, check=False)
    assert done.returncode == 0, done.stderr


def test_a_sweep_whose_files_are_edited_meanwhile_publishes_what_its_keys_say(tmp_path: Path) -> None:
    """The first job replaces both files, one of which it has still to import; the second is bound after that."""
    projects = [tmp_path / "left_alone", tmp_path / "edited"]
    for project in projects:
        write_project(project)
        wmframe(project, "run", "-m", *MINE, "memory.hidden_size=8,12", edited=project.name == "edited")
    alone, edited = map(hashes, projects)
    assert "edited meanwhile" in (projects[1] / "my_helper.py").read_text()
    assert alone == edited


def test_the_same_sweep_of_edited_code_is_another(mine: Path) -> None:
    command = ("run", "-m", *MINE, "evaluate.episodes=2")
    assert "my_memory" not in wmframe(mine, *command)
    assert "1 of 1 jobs finished before" in wmframe(mine, *command)
    edit(mine / "my_memory.py", "nll + late(error)", "nll + 2 * late(error)")
    said = wmframe(mine, *command)
    assert "finished before" not in said
    assert "memory.1: cached" not in said
    assert len(list((mine / "sweeps").glob("*-*"))) == 2


def test_a_finished_agent_is_scored_by_the_code_as_it_is_and_under_a_key_that_says_so(mine: Path) -> None:
    allowed = ("--allow", "my_memory", "--allow", "my_helper")
    question = ("evaluate", "latest", "episodes=2", *allowed)
    asked = wmframe(mine, *question)
    assert "evaluate: cached" in asked, "it is the run's own question"
    before = record((mine / "runs" / "latest").resolve())
    edit(mine / "my_memory.py", "GRUState(state.z, h)", "GRUState(state.z, h * 0.5)")
    again = wmframe(mine, *question)
    assert "baseline: cached" in again
    assert "evaluate: cached" not in again
    assert "my_memory.py changed since its agent was made, which is scored by the code as it is now" in again
    assert "evaluate: cached" in wmframe(mine, *question)
    assert record((mine / "runs" / "latest").resolve()) == before
    wmframe(mine, "report", "latest", *allowed)
    page = (mine / "runs" / "latest" / "report.html").read_text()
    assert "my_memory.py changed since: the pictures are drawn by the code as it is now." in page


def test_a_first_driver_of_edited_code_is_another(mine: Path, capsys: Capture) -> None:
    [run] = [path.name for path in (mine / "runs").iterdir() if not path.is_symlink()]
    goes_on = ("rounds=0", f"first_driver={run}", "finetune=real", "memory=mdn_rnn")
    before = plan(capsys, *goes_on)
    edit(mine / "my_memory.py", "GRUState(state.z, h)", "GRUState(state.z, h * 0.5)")
    after = plan(capsys, *goes_on)
    unlike = {name for name in before if before[name][1] != after[name][1]}
    assert unlike == {"controller.0_awake", "agent", "evaluate"}


def test_a_run_whose_code_was_edited_or_deleted_keeps_its_results(mine: Path) -> None:
    run = (mine / "runs" / "latest").resolve()
    before = record(run)
    planned = {stage.name: stage.key for stage in Run(run).graph().own}
    assert planned == {stage["name"]: stage["key"] for stage in before["stages"]}
    (mine / "my_memory.py").unlink()
    assert find_garbage(mine, days=0) == []
    found = lineage(Project(mine), run)
    assert {step.name: step.key for step in found.steps} == planned
    assert all(step.size for step in found.steps)


@pytest.mark.parametrize("experiment", choices()["experiment"])
def test_the_keys_of_what_wmframe_ships_are_of_configs_and_parents_alone(experiment: str) -> None:
    from tests.recipes.test_graph import nodes

    pinned = ("first_driver='zoo/some@0123456789abcdef'",) if "again" in experiment else ()
    for node in nodes(f"experiment={experiment}", *pinned).values():
        asked = node.request
        assert "code" not in asked.config
        assert node.key == key(node.stage.name, asked.code_version, asked.config, asked.parents)
