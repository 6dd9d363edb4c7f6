"""A recipe of a user's own is one file and one YAML: planned, run, cached, swept and shown as ours are."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runs import record, run, states
from wmframe.cli.main import main

PLUGINS = Path(__file__).parents[1] / "plugins"
BASE = ("env=toy", "collect=few", "vision=conv_vae_smoke", "memory=mdn_rnn_smoke", "tracker=none")
LIGHT = ("trainer.threads=1", "trainer.workers=1")


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """The words that name the recipe, a copy of which lies in a folder of its own."""
    shutil.copytree(PLUGINS, tmp_path / "mine")
    monkeypatch.syspath_prepend(str(tmp_path / "mine"))
    monkeypatch.delitem(sys.modules, "see_and_remember", raising=False)
    conf = str(tmp_path / "mine" / "conf")
    return ("--allow", "see_and_remember", "--config-dir", conf, "recipe=see_and_remember", *BASE, *LIGHT)


def test_it_is_computed_once_and_its_page_shows_what_there_is(tmp_path: Path, mine: tuple[str, ...]) -> None:
    root = tmp_path / "project"
    first = run(*mine, root=root)
    assert states(first) == dict.fromkeys(["collect.1", "vision.1", "latents.1", "memory.1", "sizes"], "ran")
    [sizes] = root.glob("artefacts/sizes/*/sizes.json")
    assert set(json.loads(sizes.read_text())) == {"vision", "memory"}
    assert "sizes" in (first / "report.html").read_text()
    assert record(first)["scores"] == {}
    assert set(states(run(*mine, root=root)).values()) == {"cached"}
    changed = states(run(*mine, "unit=2", root=root))
    assert changed == {**dict.fromkeys(states(first), "cached"), "sizes": "ran"}


def test_it_is_planned_without_torch(tmp_path: Path, mine: tuple[str, ...]) -> None:
    code = (
        "import sys; from wmframe.cli.main import main; assert main(sys.argv[1:]) == 0; "
        "assert 'torch' not in sys.modules, 'planning imported torch'"
    )
    folder = str(tmp_path / "mine")
    words = ["plan", *mine, f"paths.root={tmp_path / 'empty'}"]
    paths = os.pathsep.join([folder, *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "sizes" in done.stdout
    assert "in all: 5 of 5 stages to run for 1 job" in done.stdout


def test_a_sweep_of_it_shares_what_its_jobs_have_in_common(tmp_path: Path, mine: tuple[str, ...]) -> None:
    root = tmp_path / "project"
    assert main(["run", "-m", *mine, "unit=1,4", f"paths.root={root}"]) == 0
    assert len(list(root.glob("artefacts/vision/*/manifest.json"))) == 1
    assert len(list(root.glob("artefacts/sizes/*/manifest.json"))) == 2


def test_an_edit_of_its_own_stage_is_a_new_result(tmp_path: Path, mine: tuple[str, ...]) -> None:
    root = tmp_path / "project"
    run(*mine, root=root)
    source = tmp_path / "mine" / "see_and_remember.py"
    source.write_text(source.read_text().replace("st_size // unit", "st_size // unit + 1"))
    words = ["run", *mine, f"paths.root={root}"]
    paths = os.pathsep.join([str(tmp_path / "mine"), *sys.path])
    done = subprocess.run(
        [sys.executable, "-m", "wmframe", *words],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert states((root / "runs" / "latest").resolve())["sizes"] == "ran"
    assert states((root / "runs" / "latest").resolve())["vision.1"] == "cached"


def test_a_key_that_it_does_not_take_is_answered_with_those_that_it_takes(
    tmp_path: Path, mine: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", *mine, "rounds=3", f"paths.root={tmp_path}"]) == 2
    said = capsys.readouterr().err
    assert "rounds" in said
    assert "SeeAndRemember" in said


def test_a_recipe_is_named_by_a_class_that_is_one(
    tmp_path: Path, mine: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", *mine, "_target_=wmframe.vision.none.NoVision", f"paths.root={tmp_path}"]) == 2
    assert "NoVision" in capsys.readouterr().err
