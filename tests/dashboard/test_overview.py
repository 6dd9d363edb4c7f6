"""The table's rows: live, stopped, damaged, and read again only where something changed."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.project import write_history, write_run
from wmframe.dashboard.overview import Project, RunRow
from wmframe.engine.durability.checksummed import write_vouched_text
from wmframe.engine.graph.recipe import nodes_of
from wmframe.engine.runs.runs import Run


def rows(root: Path) -> dict[str, RunRow]:
    return {row.name: row for row in Project(root).overview().runs}


def test_a_row_says_how_the_run_scored_and_what_only_it_was_told(tmp_path: Path) -> None:
    first, second = write_run(tmp_path, memory_mixtures=2), write_run(tmp_path, memory_mixtures=5)
    found = Project(tmp_path).overview()
    row = {row.name: row for row in found.runs}[first.name]
    returns = first.record().scores["reality"]["returns"]
    assert row.scores["reality"].mean == pytest.approx(sum(returns) / len(returns))
    assert row.scores["reality"].n == 16
    assert row.config == {"memory.mixtures": "2"}
    assert found.common["vision.latent_size"] == "8"
    assert "memory.mixtures" not in found.common
    assert {row.name for row in found.runs} == {first.name, second.name}
    json.dumps(asdict(found), allow_nan=False)


def test_runs_of_one_result_count_once(tmp_path: Path) -> None:
    write_run(tmp_path, seed=1)
    write_run(tmp_path, seed=1, trainer_threads=2)
    write_run(tmp_path, seed=2)
    found = Project(tmp_path).overview().runs
    assert len({row.result for row in found}) == 2
    assert counted(found, "awake", tmp_path) == 2
    unfinished = [replace(row, result="", scores={}) for row in found]
    assert counted([*found, *unfinished], "awake", tmp_path) == 2


def counted(rows: Sequence[RunRow], key: str, folder: Path) -> int:
    """How many values the page takes a mean of, by its own code."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node on the PATH")
    shutil.copy(str(files("wmframe.dashboard") / "site" / "columns.js"), folder / "columns.mjs")
    runs = json.dumps([asdict(row) for row in rows])
    script = f"import {{ known }} from './columns.mjs'; console.log(known({runs}, '{key}').length)"
    command = [node, "--input-type=module", "-e", script]
    return int(subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout)


def test_a_project_without_runs_is_empty(tmp_path: Path) -> None:
    found = Project(tmp_path).overview()
    assert (found.runs, found.sweeps, found.common) == ([], [], {})


def test_a_run_that_goes_on_shows_its_stage_until_it_is_killed(tmp_path: Path) -> None:
    run = write_run(tmp_path, state="running", stages=3)
    project = Project(tmp_path)
    with run.held():
        [row] = project.overview().runs
        assert row.state == "running"
        assert row.live is not None
        assert (row.live.name, row.live.number, row.live.stages) == ("memory.1", 4, 8)
        assert (row.live.done, row.live.total, row.live.unit) == (None, 20, "steps")
    [row] = project.overview().runs
    assert (row.state, row.live) == ("stopped", None)


def test_progress_and_the_time_left_come_from_the_stages_own_history(tmp_path: Path) -> None:
    run = write_run(tmp_path, state="running", stages=3)
    project = Project(tmp_path)
    node = nodes_of(run.experiment(("wmframe",)))[3]
    work = project.watch.work(project.watch.stages(run)[3])
    work.mkdir(parents=True)
    seen = []
    with run.held():
        for points, now in ((5, 1000.0), (10, 1010.0)):
            write_history(work / "history.jsonl", node, points)
            os.utime(work / "history.jsonl", (now, now))
            live = project.overview().runs[0].live
            assert live is not None
            seen.append((live.done, live.seconds_left))
    assert seen == [(5, None), (10, 20.0)]


def test_a_stage_without_a_history_is_followed_by_the_files_that_it_has_written(tmp_path: Path) -> None:
    run = write_run(tmp_path, state="running", stages=0)
    project = Project(tmp_path)
    work = project.watch.work(project.watch.stages(run)[0])
    seen = []
    with run.held():
        for files in range(3):
            live = project.overview().runs[0].live
            assert live is not None
            seen.append((live.name, live.done, live.unit))
            work.mkdir(parents=True, exist_ok=True)
            (work / f"held-{files:04}.h5").touch()
    assert seen == [("collect.1", None, "steps"), ("collect.1", 1, "files"), ("collect.1", 2, "files")]


def test_what_a_run_measured_stands_beside_its_scores(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    more = {"hard": {"returns": [1.0, 2.0], "lengths": [1.0, 1.0]}}
    run.write(replace(run.record(), scores={**run.record().scores, **more}, metrics={"fit/error": 0.5}))
    [row] = Project(tmp_path).overview().runs
    assert set(row.scores) == {"reality", "dream", "random"}
    assert row.metrics == {"hard": 1.5, "fit/error": 0.5}


def test_a_finished_run_is_read_once(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    project = Project(tmp_path)
    before = project.overview().runs[0]
    record = run.record()
    assert project.record(run.folder) is project.record(run.folder)
    run.write(replace(record, seconds=77.0))
    assert project.overview().runs[0].seconds == 77.0 != before.seconds


DAMAGE: dict[str, Any] = {
    "no JSON": "{",
    "another thing": "[]",
    "a field too many": {"surprise": 1},
    "scores of text": {"scores": {"reality": {"returns": ["a"]}}},
    "scores of nothing": {"scores": {"reality": {"returns": []}}},
    "scores without returns": {"scores": {"reality": {}}},
    "an infinite score": {"scores": {"reality": {"returns": [1e400]}}},
    "no scores": {"scores": None},
    "a state of its own": {"state": "<b>"},
    "stages of numbers": {"stages": [{"name": 1, "stage": [], "key": {}, "state": "ran", "seconds": 1}]},
    "endless": {"seconds": 1e400},
    "facts of text": {"provenance": "x"},
    "overrides of nothing": {"overrides": None},
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_record_is_a_row_that_says_so(tmp_path: Path, damage: str) -> None:
    whole, broken = write_run(tmp_path), write_run(tmp_path, memory_mixtures=5)
    file = broken.folder / "run.json"
    change = DAMAGE[damage]
    plain = json.loads(file.read_text())
    del plain["checksum"]  # else that alone would tell
    file.write_text(change if isinstance(change, str) else json.dumps(plain | change))
    found = rows(tmp_path)
    assert found[broken.name].state == "damaged"
    assert found[broken.name].error
    assert str(tmp_path) not in found[broken.name].error
    assert found[whole.name].state == "finished"
    json.dumps(asdict(Project(tmp_path).overview()), allow_nan=False)


@pytest.mark.parametrize("file", ["config.yaml", "run.json"])
def test_a_link_in_a_files_place_is_not_followed(tmp_path: Path, file: str) -> None:
    run = write_run(tmp_path)
    secret = tmp_path / "secret"
    (run.folder / file).rename(secret)
    (run.folder / file).symlink_to(secret)
    assert rows(tmp_path)[run.name].state == "damaged"


def test_a_config_that_is_none_damages_its_own_row_alone(tmp_path: Path) -> None:
    whole, broken = write_run(tmp_path), write_run(tmp_path, memory_mixtures=5)
    (broken.folder / "config.yaml").write_text("a: " + "[" * 100_000)
    found = rows(tmp_path)
    assert found[broken.name].error == "config.yaml: is nested deeper than 20 levels"
    assert found[whole.name].state == "finished"


def test_of_a_recipe_that_is_not_here_the_progress_is_known_and_without_its_graph_it_is_not(tmp_path: Path) -> None:
    run = write_run(tmp_path, state="running", stages=3)
    config = run.config().partition("\n")[2]
    mine = config.replace("wmframe.recipes.world_models.WorldModels", "mine.Recipe").replace("MDNRNN", "Mine")
    write_vouched_text(run.folder / "config.yaml", mine, "run")
    project = Project(tmp_path)
    with run.held():
        [row] = project.overview().runs
        assert row.live is not None
        assert (row.live.name, row.live.total, row.live.unit) == ("memory.1", 20, "steps")
        (run.folder / "graph.json").write_text("{}")
        [row] = project.overview().runs
    assert (row.state, row.live) == ("running", None)


def test_how_many_runs_stand_on_a_result(tmp_path: Path) -> None:
    runs = [write_run(tmp_path, world_temperature=temperature) for temperature in (0.5, 1.5)]
    found = Project(tmp_path).shared_by()
    stages = Run(runs[0].folder).record().stages
    assert {stage.name: found[stage.stage, stage.key] for stage in stages} == {
        **dict.fromkeys(["collect.1", "vision.1", "latents.1_1", "memory.1", "baseline"], 2),
        **dict.fromkeys(["controller.1", "agent", "evaluate"], 1),
    }
