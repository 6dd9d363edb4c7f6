"""Run folders: who is alive, and which is the latest."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.runs.toy_run import toy_run
from wmframe.engine.errors import UserError
from wmframe.engine.runs.runs import RunRecord, find_run


def test_a_run_that_nobody_holds_has_stopped(tmp_path: Path) -> None:
    run = toy_run(tmp_path)
    with run.held():
        run.write(replace(run.record(), state="running"))
        assert run.record().state == "running"
    assert run.record().state == "stopped"


def test_latest_is_the_run_that_finished_last(tmp_path: Path) -> None:
    first, second = toy_run(tmp_path), toy_run(tmp_path)
    assert find_run("latest", runs=tmp_path / "runs").name == second.name
    first.write(first.record())
    second.write(replace(second.record(), state="failed"))
    assert find_run("latest", runs=tmp_path / "runs").name == first.name


def test_there_is_no_latest_before_one_has_finished(tmp_path: Path) -> None:
    run = toy_run(tmp_path)
    (tmp_path / "runs" / "latest").unlink()
    run.write(replace(run.record(), state="failed"))
    with pytest.raises(UserError, match="no run 'latest'"):
        find_run("latest", runs=tmp_path / "runs")


def test_what_a_run_came_to_is_the_means_of_its_scores_and_its_metrics() -> None:
    scores = {"hard": {"returns": [1.0, 4.0], "lengths": [3.0, 3.0]}, "easy": {"returns": [5.0], "lengths": [1.0]}}
    record = RunRecord(
        command="", state="finished", started="", scores=scores, seeds=(7, 8), metrics={"fit/error": 0.5}
    )
    assert record.quantities == {"hard": 2.5, "easy": 5.0, "fit/error": 0.5}
    assert (record.seeds_of("hard"), record.seeds_of("easy")) == ((7, 8), ())
