"""What becomes of jobs whose launcher breaks off, and how many run at once."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from wmframe.cli.jobs import SweepJobs
from wmframe.cli.launch import Recording, at_once
from wmframe.engine.config.bind import Component
from wmframe.engine.errors import UserError
from wmframe.engine.machine import cores
from wmframe.engine.runs.sweeps import JobRecord, Sweep, SweepRecord, open_sweep
from wmframe.engine.tracking.progress import Progress


def experiment(told: Sequence[str]) -> Component:
    """An experiment of its own for every job."""
    return Component("wmframe.engine.graph.recipe.Paths", {"root": ".", "told": list(told)})


class Breaking(Launcher):
    """Launches every job, but that some kill their process, and with it all that were to come after them."""

    def __init__(self, sweep: Sweep, deadly: Sequence[int]) -> None:
        self.sweep, self.deadly = sweep, deadly
        self.launched: list[int] = []

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        raise NotImplementedError

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        for [text] in job_overrides:
            job = self.sweep.job(int(text))
            self.launched.append(job.number)
            self.sweep.write(JobRecord(number=job.number, overrides=job.overrides, state="running"))
            if job.number in self.deadly:
                raise RuntimeError("a worker process was killed")
            self.sweep.write(JobRecord(number=job.number, overrides=job.overrides, state="failed", error="no luck"))
        return []


class Absent(Launcher):
    """A cluster's launcher where there is no cluster."""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        raise NotImplementedError

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        raise FileNotFoundError("sbatch")


def test_a_job_that_kills_its_process_costs_itself_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = open_sweep(tmp_path, SweepRecord(name="toy", command="", started="", jobs=()), [])
    jobs = [[f"seed={number}"] for number in (1, 2, 3)]
    inner = Breaking(sweep, deadly=[2])
    told = SweepJobs(sweep, command="", allowed=(), at_once=1, fail_fast=False)
    recording = Recording(inner, told, experiment, Progress(sys.stderr), "reality")
    returned = recording.launch(jobs, 0)
    assert [job.state for job in sweep.jobs()] == ["failed"] * 3
    assert sweep.job(2).error == "its process died 3 times, perhaps for want of memory"
    assert sweep.job(3).error == "no luck"
    assert inner.launched == [1, 2, 2, 3, 2]  # by itself, once it had died
    assert {r.status for r in returned} == {JobStatus.FAILED}
    assert capsys.readouterr().err.count("the launcher broke off: RuntimeError: a worker process was killed") == 3


def test_a_launcher_that_starts_nothing_is_not_tried_for_ever(tmp_path: Path) -> None:
    sweep = open_sweep(tmp_path, SweepRecord(name="toy", command="", started="", jobs=()), [])
    told = SweepJobs(sweep, command="", allowed=(), at_once=1, fail_fast=False)
    recording = Recording(Absent(), told, experiment, Progress(None), "reality")
    with pytest.raises(UserError, match="the launcher broke off: FileNotFoundError: sbatch"):
        recording.launch([["seed=1"]], 0)
    assert sweep.job(1).state == "waiting"


@pytest.mark.parametrize(
    ("chosen", "jobs", "expected"),
    [
        ({"_target_": "BasicLauncher"}, 9, 1),
        ({"_target_": "JoblibLauncher", "n_jobs": 2}, 9, 2),
        ({"_target_": "JoblibLauncher", "n_jobs": 8}, 3, 3),
        ({"_target_": "JoblibLauncher", "n_jobs": -1}, 1000, cores()),
        ({"_target_": "x.submitit_launcher.LocalLauncher"}, 5, 5),
        ({"_target_": "x.submitit_launcher.SlurmLauncher"}, 5, 1),
    ],
)
def test_how_many_jobs_share_this_machine(chosen: dict[str, object], jobs: int, expected: int) -> None:
    assert at_once(OmegaConf.create({"hydra": {"launcher": chosen}}), jobs) == expected
