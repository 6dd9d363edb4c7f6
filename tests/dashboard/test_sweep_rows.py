import json
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.dashboard.project import write_job, write_run, write_sweep
from wmframe.dashboard.overview import Project
from wmframe.dashboard.reading import Cache
from wmframe.dashboard.sweep_rows import sweep_rows
from wmframe.engine.runs.sweeps import JobRecord

WAITING = JobRecord(number=3, overrides=("env=toy", "seed=3"), state="waiting")
FAILED = JobRecord(number=4, overrides=("env=toy", "seed=-1"), state="failed", error="UserError: seed=-1")


def test_a_sweep_says_how_its_jobs_stand_and_what_only_each_was_told(tmp_path: Path) -> None:
    runs = [write_run(tmp_path, seed=seed, memory_mixtures=5) for seed in (1, 2)]
    write_sweep(tmp_path, runs)
    [row] = Project(tmp_path).overview().sweeps
    assert (row.title, row.states) == ("toy", {"finished": 2})
    assert [(job.number, job.run, list(job.overrides)) for job in row.jobs] == [
        (1, runs[0].name, ["seed=1"]),
        (2, runs[1].name, ["seed=2"]),
    ]


def test_jobs_without_a_run_are_there_too_and_change_as_they_go_on(tmp_path: Path) -> None:
    folder = write_sweep(tmp_path, [write_run(tmp_path, seed=1), write_run(tmp_path, seed=2)], [WAITING, FAILED])
    project = Project(tmp_path)
    [row] = project.overview().sweeps
    assert row.states == {"finished": 2, "waiting": 1, "failed": 1}
    assert row.jobs[3].error == "UserError: seed=-1"
    write_job(folder, JobRecord(number=3, overrides=WAITING.overrides, state="finished", run="a-run"))
    [row] = project.overview().sweeps
    assert row.states == {"finished": 3, "failed": 1}


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"name": 1, "command": [], "started": 0, "jobs": 3}'])
def test_a_damaged_sweep_is_a_row_that_says_so(tmp_path: Path, text: str) -> None:
    folder = write_sweep(tmp_path, [write_run(tmp_path)])
    (folder / "sweep.json").write_text(text)
    [row] = sweep_rows(tmp_path, Cache(9))
    assert row.error
    assert str(tmp_path) not in row.error
    json.dumps(asdict(row))


def test_a_damaged_job_damages_its_sweep_alone(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    folder = write_sweep(tmp_path, [run])
    (folder / "jobs" / "0001.json").write_text('{"number": "x"}')
    found = Project(tmp_path).overview()
    assert found.sweeps[0].error
    assert [row.state for row in found.runs] == ["finished"]
