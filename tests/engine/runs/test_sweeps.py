"""A sweep's folder: who is in it, how each job stands, and how a person names it."""

from pathlib import Path

import pytest

from wmframe.cli.prepare import EXPERIMENT
from wmframe.engine.config.bind import bind
from wmframe.engine.config.compose import compose
from wmframe.engine.errors import UserError
from wmframe.engine.runs.sweeps import JobRecord, Sweep, SweepRecord, differing, find_sweep, open_sweep

FIRST, SECOND, THIRD = (bind(compose(["env=toy", f"seed={seed}"]), target=EXPERIMENT) for seed in (1, 2, 3))
RECORD = SweepRecord(name="toy", command="wmframe run -m seed=1,2", started="", jobs=())


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    """A sweep of two jobs that nobody has begun."""
    sweep = open_sweep(tmp_path, RECORD, ["content"])
    assert sweep.add([(["seed=1"], FIRST), (["seed=2"], SECOND)]) == [1, 2]
    return sweep


def test_the_same_content_is_the_same_sweep_and_another_is_another(sweep: Sweep) -> None:
    again = open_sweep(sweep.root, RECORD, ["content"])
    assert again.folder == sweep.folder
    assert again.record().jobs == (("seed=1",), ("seed=2",))
    assert open_sweep(sweep.root, RECORD, ["other content"]).folder != sweep.folder
    assert find_sweep("latest", sweeps=sweep.root / "sweeps").folder != sweep.folder


def test_a_job_that_is_there_already_keeps_its_number(sweep: Sweep) -> None:
    assert sweep.add([(["seed=3"], THIRD), (["seed=2"], SECOND)]) == [3, 2]
    assert [job.state for job in sweep.jobs()] == ["waiting"] * 3
    assert sweep.experiment(3, ["wmframe"]) == THIRD


def test_a_job_whose_process_is_gone_has_stopped(sweep: Sweep) -> None:
    running = JobRecord(number=2, overrides=("seed=2",), state="running")
    lock = sweep.take(2)
    assert lock is not None
    with lock:
        sweep.write(running)
        assert sweep.job(2).state == "running"
        assert sweep.take(2) is None
    assert [job.state for job in sweep.jobs()] == ["waiting", "stopped"]
    assert not sweep.settled(sweep.job(2))


def test_a_finished_job_is_settled_while_its_run_is_there(sweep: Sweep) -> None:
    job = JobRecord(number=1, overrides=("seed=1",), state="finished", run="20260101-000000-toy-0000")
    sweep.write(job)
    assert not sweep.settled(sweep.job(1))
    run = sweep.root / "runs" / job.run
    run.mkdir(parents=True)
    (run / "run.json").write_text("{}")
    assert sweep.settled(sweep.job(1))


def test_a_sweep_is_found_by_folder_by_name_and_as_the_latest(sweep: Sweep) -> None:
    sweeps = sweep.root / "sweeps"
    for named in (str(sweep.folder), sweep.folder.name, "latest"):
        assert find_sweep(named, sweeps=sweeps).folder == sweep.folder
    with pytest.raises(UserError, match=f"no sweep 'toy'. The nearest: {sweep.folder.name}"):
        find_sweep("toy", sweeps=sweeps)
    with pytest.raises(UserError, match="There are no sweeps under"):
        find_sweep("latest", sweeps=sweeps / "jobs")


def test_what_is_no_sweep_is_told_by_its_file(sweep: Sweep) -> None:
    (sweep.folder / "sweep.json").write_text('{"name": "toy"}')
    with pytest.raises(UserError, match="not a sweep's record"):
        sweep.jobs()
    with pytest.raises(UserError, match="name='a/b'"):
        open_sweep(sweep.root, SweepRecord(name="a/b", command="", started="", jobs=()), [])


def test_jobs_are_named_by_what_they_differ_in() -> None:
    assert differing([["a=1", "b=2"], ["a=1", "b=3"]]) == ["b=2", "b=3"]
    assert differing([["a=1", "b=2"]]) == ["a=1 b=2"]
    assert differing([["a=1"], ["a=1", "b=3"]]) == ["(no overrides)", "b=3"]
