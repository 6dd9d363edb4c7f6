"""One job: a run with its page, on its own or as one of a sweep's.

A bound experiment, or a sweep and a job's number, come in; a finished run goes out, or how the job ended is written
down. Called by `wmframe run` once everything was checked, and by whatever a sweep's jobs are launched with.
"""

import os
import signal
import sys
import time
import traceback
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from wmframe.cli.machine_fault import explained, is_the_machines
from wmframe.cli.tell import tell
from wmframe.engine.config.bind import Component
from wmframe.engine.config.user_code import Module, hold
from wmframe.engine.durability import parent_process, signals
from wmframe.engine.errors import UserError
from wmframe.engine.machine import cores
from wmframe.engine.runs.runner import Order, Present, Show, run
from wmframe.engine.runs.runs import Run
from wmframe.engine.runs.sweeps import JobRecord, Sweep, differing
from wmframe.engine.tracking.progress import Progress
from wmframe.report.backends import Backends
from wmframe.report.publish import publish
from wmframe.report.round_films import film_round
from wmframe.report.scoreboard import board


def run_alone(order: Order) -> None:
    """Run a job that is no sweep's, and print its scoreboard and where to look."""
    finished = run(order, Progress(sys.stderr), _published(order), show=_shown(order))
    if said := board(finished.record()):
        tell("\n".join(said))
    tell(f"page: {finished.folder / 'report.html'}")


def _published(order: Order) -> Present:
    return lambda finished, tracker: publish(finished, tracker, allowed=order.allowed)


def _shown(order: Order) -> Show:
    film, compare = partial(film_round, allowed=order.allowed), Backends()
    return lambda run, node, artefact: "\n".join(
        filter(None, (compare(run, node, artefact), film(run, node, artefact)))
    )


@dataclass(frozen=True)
class SweepJobs:
    """How a sweep's jobs are run. Travels to the processes that run them.

    All of them run on `code`, the user's own modules as they were when the command was typed.
    `at_once` of them share this machine's cores. With `fail_fast` none begins once another has failed. `owner` is the
    process whose workers run them on this machine, and end with it; None where they are a cluster's.
    """

    sweep: Sweep
    command: str
    allowed: tuple[str, ...]
    at_once: int
    fail_fast: bool
    owner: int | None = None
    code: tuple[Module, ...] = ()

    def __call__(self, config: Any) -> None:
        """Run the job whose number is all of `config`, as a launcher calls it in the job's process.

        How it ended is written down; nothing is done if that is known already or another process is at it.
        """
        if self.owner in (None, os.getpid()):
            self._attempt(int(config.number))
            return
        try:
            with signals.heeded():
                parent_process.follow(self.owner, signal.SIGTERM, with_siblings=True)
                self._attempt(int(config.number))
        except signals.Stopped as stopped:
            sys.stderr.flush()
            os._exit(stopped.exit_code)  # whoever returned from here would be given the next job

    def _attempt(self, number: int) -> None:
        signals.check()
        lock = self.sweep.take(number)
        if lock is None:
            return
        with lock:
            if not self._left_out(number):
                self._run(number)

    def _left_out(self, number: int) -> bool:
        jobs = self.sweep.jobs()
        failed = self.fail_fast and any(job.state == "failed" for job in jobs)
        return failed or self.sweep.settled(jobs[number - 1])

    def _run(self, number: int) -> None:
        jobs = self.sweep.jobs()
        job = JobRecord(number=number, overrides=jobs[number - 1].overrides, state="running")
        name = differing([job.overrides for job in jobs])[number - 1]
        progress = Progress(sys.stderr, label=f"[{number:>{len(str(len(jobs)))}}] ", live=self.at_once == 1)
        progress.say(f"job {number} of {len(jobs)}: {name}")
        began = time.monotonic()

        def begun(run: Run) -> None:
            nonlocal job
            job = replace(job, run=run.name)
            self.sweep.write(job)

        self.sweep.write(job)
        try:
            hold(self.code)
            experiment = _with_share(self.sweep.experiment(number, self.allowed), self.at_once)
            experiment = _lying_at(self.sweep.root, experiment)
            order = Order(
                experiment=experiment,
                overrides=job.overrides,
                command=self.command,
                allowed=self.allowed,
                group=self.sweep.folder.name,
                job=name,
            )
            run(order, progress, _published(order), begun=begun, show=_shown(order))
        except Exception as error:
            # One job's fault, whatever it is, must not cost the others.
            text = _cause(error) if _needs_no_traceback(error) else traceback.format_exc()
            for line in f"failed: {text}".splitlines():
                progress.say(line)
            job = replace(job, state="failed", error=_cause(error))
        else:
            job = replace(job, state="finished")
        self.sweep.write(replace(job, seconds=time.monotonic() - began))


def _cause(error: Exception) -> str:
    if is_the_machines(error):
        return explained(error)
    said = str(error)
    return said if isinstance(error, UserError) else f"{type(error).__name__}: {said}".splitlines()[0]


def _lying_at(root: Path, experiment: Component) -> Component:
    """Return the experiment with its results where the sweep is, which may have been moved since it was begun."""
    paths = experiment.part("paths")
    if Path(str(paths.arguments["root"])).resolve() == root:
        return experiment
    return experiment.with_arguments(paths=paths.with_arguments(root=str(root)))


def _needs_no_traceback(error: Exception) -> bool:
    return isinstance(error, UserError) or is_the_machines(error)


def _with_share(experiment: Component, at_once: int) -> Component:
    """Return the experiment with its share of the cores, where it does not say how many threads it wants."""
    trainer = experiment.part("trainer")
    share = max(1, cores() // at_once)
    mine = {name: share for name in ("threads", "workers") if trainer.arguments.get(name, share) is None}
    if at_once == 1 or not mine:
        return experiment
    return experiment.with_arguments(trainer=trainer.with_arguments(**mine))
