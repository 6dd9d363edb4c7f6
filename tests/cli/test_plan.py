"""What a plan says of a sweep: every stage once, who shares it, and what it will cost."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runs import run
from tests.sweeps import TINY
from wmframe.cli.main import main

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which one run was made."""
    folder = tmp_path_factory.mktemp("planned")
    run(*TINY, root=folder)
    return folder


def plan(root: Path, capsys: Capture, *arguments: str) -> list[str]:
    capsys.readouterr()
    assert main(["plan", *TINY, *arguments, f"paths.root={root}"]) == 0
    return capsys.readouterr().out.splitlines()


def test_a_sweeps_stages_stand_there_once_with_the_jobs_that_share_them(root: Path, capsys: Capture) -> None:
    said = plan(root, capsys, "-m", "memory.mixtures=1,2", "world.temperature=0.7,1.0")
    assert said[:4] == [
        "job 1 of 4: memory.mixtures=1 world.temperature=0.7",
        "job 2 of 4: memory.mixtures=1 world.temperature=1.0",
        "job 3 of 4: memory.mixtures=2 world.temperature=0.7",
        "job 4 of 4: memory.mixtures=2 world.temperature=1.0",
    ]
    text = "\n".join(said)
    assert re.search(r"collect\.1 +cached +\w{16}  all jobs", text)
    assert text.count("collect.1 ") == text.count("vision.1 ") == 1
    assert text.count("memory.1 ") == 2
    assert text.count("controller.1 ") == 4
    assert re.search(r"memory\.1 +will run +\w{16}  jobs 1-2  ~[\d.]+ s, [\d.]+ kB  memory\.mixtures: 2 → 1", text)
    assert re.match(r"in all: 10 of 18 stages to run for 4 jobs, about \d.* one after the other and .*[kM]B$", said[-1])


@pytest.mark.parametrize("swept", ["seed=1,1", "world.temperature=1,1.0", "env=toy,toy"])
def test_values_that_are_one_experiment_are_one_job(root: Path, capsys: Capture, swept: str) -> None:
    overrides = [*(o for o in TINY if o != "env=toy"), "experiment=toy", swept]
    capsys.readouterr()
    assert main(["plan", "-m", *overrides, f"paths.root={root}"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("job 1 of 1:")
    assert " for 1 job" in said[-1]


def test_a_key_that_is_swept_and_set_is_refused_as_run_refuses_it(root: Path, capsys: Capture) -> None:
    for command in ("plan", "run"):
        assert main([command, "-m", *TINY, "seed=1,2,3,4,5", "++seed=7", f"paths.root={root}"]) == 2
        assert "++seed=7 sets seed too" in capsys.readouterr().err
    assert not (root / "sweeps").exists()


def test_there_is_no_estimate_from_other_amounts_of_work(root: Path, capsys: Capture) -> None:
    said = "\n".join(plan(root, capsys, "vision.steps=5"))
    assert re.search(r"vision\.1 +will run +\w{16}  no estimate  vision\.steps: 4 → 5", said)
    assert re.search(r"latents\.1_1 +will run +\w{16}  ~", said)
    assert "and 1 without an estimate: nothing like them was run here" in said


def test_a_manifest_with_a_wrong_bit_explains_nothing_and_breaks_nothing(
    root: Path, tmp_path: Path, capsys: Capture
) -> None:
    shutil.copytree(root / "artefacts", tmp_path / "artefacts")
    [manifest] = tmp_path.glob("artefacts/vision/*/manifest.json")
    manifest.write_text(manifest.read_text().replace('"bytes"', '"bytds"'))
    said = "\n".join(plan(tmp_path, capsys))
    assert re.search(r"vision\.1 +will run +\w{16}  no estimate  damaged: manifest\.json", said)
    assert "vision.1            will run" in "\n".join(plan(tmp_path, capsys, "vision.steps=5"))


def test_a_search_is_planned_by_examples(root: Path, capsys: Capture) -> None:
    ranges = ["world.temperature=interval(0.5,1.5)", "memory.mixtures=1,2,3"]
    said = plan(root, capsys, "-m", *ranges, "hydra/sweeper=nevergrad", "hydra.sweeper.budget=7")
    assert said[0] == "a search chooses its 7 jobs as it learns; these are examples of what it may ask for"
    assert said[2] == "job 2 of 3: world.temperature=1.5 memory.mixtures=2"


def test_planning_a_sweep_imports_nothing_that_computes(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom wmframe.cli.main import main\n"
        "assert main(['plan', '-m', 'env=toy', 'seed=1,2', 'hydra/sweeper=nevergrad']) == 0\n"
        "assert not {'torch', 'nevergrad', 'gymnasium', 'matplotlib'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []
