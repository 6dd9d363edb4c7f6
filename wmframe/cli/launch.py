"""A sweep's jobs, given to Hydra's launcher and sweeper plugins, and never more of them than are missing.

Hydra's config and jobs come in; how every job ended is in the sweep's folder afterwards. Hydra's launchers start
processes and nothing else here: what they are told is a job's number. Called by `wmframe run -m`.
"""

import copy
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from hydra._internal.callbacks import Callbacks
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_search_path_impl import ConfigSearchPathImpl
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict

from wmframe.cli.jobs import SweepJobs
from wmframe.engine.config.bind import Component
from wmframe.engine.durability import signals
from wmframe.engine.durability.parent_process import tell_children
from wmframe.engine.errors import UserError
from wmframe.engine.machine import cores
from wmframe.engine.runs.sweeps import JobRecord
from wmframe.engine.tracking.progress import Progress

_ATTEMPTS = 3
"""So often is a job begun whose process dies, before it counts as failed."""

Prepare = Callable[[Sequence[str]], Component]


class Recording(Launcher):
    """A launcher that leaves out what a sweep's folder knows already, and does not give up on what is left.

    `inner` is the launcher that was asked for; `prepare` composes and checks a job that the sweep does not have yet.
    """

    def __init__(self, inner: Launcher, jobs: SweepJobs, prepare: Prepare, progress: Progress, quantity: str) -> None:
        super().__init__()
        self._inner, self._jobs, self._prepare = inner, jobs, prepare
        self._sweep, self._progress, self._quantity = jobs.sweep, progress, quantity

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Do nothing: `inner` is set up."""

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run the jobs that are not settled, and return what every one scored.

        Raises UserError at a failure if the sweep is to end there.
        """
        numbers = self._sweep.add([(overrides, self._prepare(overrides)) for overrides in job_overrides])
        self.settle(list(dict.fromkeys(numbers)))
        return [self._returned(self._sweep.job(number)) for number in numbers]

    def settle(self, numbers: Sequence[int]) -> None:
        """Run jobs, given by number, until each has finished or failed."""
        died: Counter[int] = Counter()
        while todo := [number for number in numbers if not self._sweep.settled(self._sweep.job(number))]:
            for number in [number for number in todo if died[number] == _ATTEMPTS]:
                self._sweep.wait(number)
                self._give_up(number)
                todo.remove(number)
            # One whose process died is run by itself: a launcher's others die with it, and should not pay for it.
            for together in [*([n] for n in todo if died[n] > 0), [n for n in todo if died[n] == 0]]:
                self._launch(together)
            for number in todo:
                if self._sweep.job(number).state == "running":  # in another process, by the same command
                    self._progress.say(f"waiting for job {number}, which another process runs")
                    self._sweep.wait(number)
                died[number] += self._sweep.job(number).state == "stopped"

    def _launch(self, numbers: Sequence[int]) -> None:
        before = [self._sweep.job(number) for number in numbers]
        try:
            if numbers:
                with signals.gently(also=tell_children):
                    self._inner.launch([[str(number)] for number in numbers], initial_job_idx=0)
        except Exception as error:
            signals.check()  # its workers were told to stop, and did
            said = f"the launcher broke off: {type(error).__name__}: {error}".splitlines()[0]
            if before == [self._sweep.job(number) for number in numbers] and before[0].state == "waiting":
                raise UserError(said, exit_code=1) from error
            # A worker that was killed, perhaps for want of memory, takes a launcher's others with it.
            self._progress.say(said)
        if self._jobs.fail_fast and any(job.state == "failed" for job in self._sweep.jobs()):
            raise UserError("stopped at the first failure", exit_code=1)

    def _give_up(self, number: int) -> None:
        job = self._sweep.job(number)
        if job.state == "stopped" and (lock := self._sweep.take(number)) is not None:
            with lock:
                error = f"its process died {_ATTEMPTS} times, perhaps for want of memory"
                self._sweep.write(replace(job, state="failed", error=error))

    def _returned(self, job: JobRecord) -> JobReturn:
        run = self._sweep.run_of(job)
        found = run.record().quantities if job.state == "finished" and run is not None else {}
        if self._quantity in found:
            return JobReturn(overrides=job.overrides, status=JobStatus.COMPLETED, _return_value=found[self._quantity])
        if job.state == "finished":
            there = ", ".join(found) or "nothing to go by"
            self._progress.say(f"job {job.number} has no hydra.sweeper.quantity={self._quantity}: it has {there}")
        error = UserError(f"job {job.number}: {job.error or f'no {self._quantity}'}", exit_code=1)
        return JobReturn(overrides=job.overrides, status=JobStatus.FAILED, _return_value=error)


class _Numbers(ConfigLoaderImpl):
    """Gives a launched job its number for a config; its real one was composed and checked before any began."""

    def load_sweep_config(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        config = copy.deepcopy(master_config)
        with open_dict(config):
            config.number = int(sweep_overrides[0])
        return config


def launcher(
    config: DictConfig, jobs: SweepJobs, prepare: Prepare, progress: Progress
) -> tuple[Recording, HydraContext]:
    """Return the launcher that Hydra's config asks for, recorded, and the context that a sweeper is set up with."""
    context = HydraContext(config_loader=_Numbers(ConfigSearchPathImpl()), callbacks=Callbacks())
    inner = Plugins.instance().instantiate_launcher(hydra_context=context, task_function=jobs, config=config)
    quantity = str(config.hydra.sweeper.get("quantity", "reality"))
    return Recording(inner, jobs, prepare, progress, quantity), context


def owner(config: DictConfig) -> int | None:
    """Return this process's id where the launcher's processes are its own workers, None where they outlive it."""
    return os.getpid() if str(config.hydra.launcher._target_).endswith(".JoblibLauncher") else None


def at_once(config: DictConfig, jobs: int) -> int:
    """Return how many of this many jobs a launcher runs on this machine at a time; a cluster's have their own."""
    chosen = config.hydra.launcher
    if str(chosen._target_).endswith(".submitit_launcher.LocalLauncher"):
        return max(1, jobs)
    wanted = int(chosen.get("n_jobs") or 1)
    return max(1, min(jobs, wanted if wanted > 0 else cores() + 1 + wanted))
