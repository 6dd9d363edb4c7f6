"""A whole sweep: its folder found or made, its missing jobs run, and at the end a table and a page.

An invocation with `-m` comes in, an exit code goes out: 0 only if every job finished. Called by `wmframe run -m`.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from omegaconf import DictConfig, OmegaConf, open_dict

from wmframe.cli.jobs import SweepJobs
from wmframe.cli.launch import Recording, at_once, launcher, owner
from wmframe.cli.overrides import Invocation
from wmframe.cli.prepare import Job, prepare_one
from wmframe.cli.tell import tell
from wmframe.engine.config.ablation import Ablation, find_ablation
from wmframe.engine.config.component import modules_in
from wmframe.engine.config.multirun import hydra_config, part, searches
from wmframe.engine.config.user_code import Module, hold
from wmframe.engine.errors import UserError
from wmframe.engine.graph.node import Node
from wmframe.engine.graph.recipe import nodes_of, recipe_of, root_of
from wmframe.engine.runs.sweeps import JobRecord, Sweep, SweepRecord, differing, open_sweep
from wmframe.engine.tracking.progress import Progress
from wmframe.report.scoreboard import brief

_CONFIRM: Final = "hydra.sweeper.confirm"
"""The key of a sweeper that says how its recommendation is confirmed: null leaves that to the recipe."""


def run_sweep(jobs: Sequence[Job], invocation: Invocation, command: str) -> int:
    """Run what is missing of a sweep whose `jobs` (of a search, examples of them) were checked."""
    arguments, hydras = part(invocation.overrides)
    config = hydra_config(hydras, folders=invocation.folders)
    searching = searches(config)
    ablation = find_ablation(arguments, folders=invocation.folders)
    progress = Progress(sys.stderr)
    nodes = [node for job in jobs for node in nodes_of(job.experiment, invocation.allowed)]
    code = tuple(_code(jobs, nodes).values())
    hold(code)  # jobs that a search asks for later are bound to it too
    if searching and OmegaConf.select(config, _CONFIRM, default=()) is None:
        confirm = recipe_of(jobs[0].experiment, invocation.allowed).unseen()
        OmegaConf.update(config, _CONFIRM, list(confirm), force_add=True)
    versions = {node.stage.name: node.stage.version for node in nodes}
    sweep = _sweep(jobs, code, versions, config, command, ablation, arguments if searching else None, progress.say)
    with open_dict(config):
        config.hydra.sweep.dir, config.hydra.sweep.subdir = str(sweep.folder), "."
    _greet(sweep, invocation, progress)
    many = int(config.hydra.sweeper.get("num_workers", 1)) if searching else len(jobs)
    task = SweepJobs(
        sweep, command, invocation.allowed, at_once(config, many), invocation.fail_fast, owner(config), code
    )
    recording, context = launcher(config, task, lambda told: prepare_one(told, invocation).experiment, progress)
    try:
        if searching:
            sweeper = Plugins.instance().instantiate_sweeper(hydra_context=context, task_function=task, config=config)
            _search(sweeper, recording, arguments)
        else:
            _run_grid(sweep, recording, config.hydra.sweeper.max_batch_size)
    except UserError as error:
        if not sweep.jobs():
            raise
        progress.say(str(error))
        _close(sweep)
        return 1
    exit_code = _close(sweep)
    if confirm := config.hydra.sweeper.get("confirm"):
        tell(f"job {len(sweep.record().jobs)} is what the search recommends, run on its own with {' '.join(confirm)}")
    return exit_code


def _sweep(
    jobs: Sequence[Job],
    code: Sequence[Module],
    versions: Mapping[str, int],
    config: DictConfig,
    command: str,
    ablation: Ablation | None,
    searched: Sequence[str] | None,
    say: Callable[[str], None],
) -> Sweep:
    roots = {root_of(job.experiment) for job in jobs}
    if len(roots) > 1:
        raise UserError("paths.root: the jobs of a sweep lie in one folder")
    first = jobs[0]
    record = SweepRecord(
        name="-".join([str(first.experiment.arguments["name"]), *([ablation.name] if ablation else [])]),
        command=command,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        jobs=(),
        ablation=ablation.plain() if ablation else None,
    )
    plain = [{name: part for name, part in job.experiment.plain().items() if name != "paths"} for job in jobs]
    sweeper = OmegaConf.to_container(config.hydra.sweeper, resolve=True)
    content = [plain, searched, sweeper, record.ablation, versions]
    if code:
        content.append({module.file: module.fingerprint for module in code})
    sweep = open_sweep(roots.pop().resolve(), record, content, say)
    if searched is None:
        sweep.add([(job.overrides, job.experiment) for job in jobs])
    sweep.mend(say)
    return sweep


def _code(jobs: Sequence[Job], nodes: Sequence[Node]) -> dict[str, Module]:
    """Return the user's own modules that jobs run on, by name."""
    found = modules_in([job.experiment for job in jobs])
    for node in nodes:
        found |= node.code
    return found


def _search(sweeper: Sweeper, recording: Recording, arguments: Sequence[str]) -> None:
    if not isinstance(getattr(sweeper, "launcher", None), Launcher):
        raise UserError(f"hydra/sweeper: {type(sweeper).__name__} hides its launcher; use basic or nevergrad here")
    sweeper.launcher = recording  # an attribute by custom, in Hydra's own sweepers too
    sweeper.sweep(list(arguments))


def _run_grid(sweep: Sweep, recording: Recording, batch: int | None) -> None:
    numbers = range(1, len(sweep.record().jobs) + 1)
    size = batch or len(numbers)
    for first in range(0, len(numbers), size):
        recording.settle(numbers[first : first + size])


def _greet(sweep: Sweep, invocation: Invocation, progress: Progress) -> None:
    """Say what there is of the sweep already; set failed jobs back if they are to run again."""
    jobs = sweep.jobs()
    progress.say(f"sweep: {sweep.folder}")
    failed = [job.number for job in jobs if job.state == "failed"]
    done = sum(job.state == "finished" and sweep.settled(job) for job in jobs)
    if done or failed:
        progress.say(f"{done} of {len(jobs)} jobs finished before and are not run again")
    if failed and not invocation.retry_failed:
        progress.say(f"{len(failed)} failed before: {_listed(failed)}; add --retry-failed to run them again")
    for job in jobs if invocation.retry_failed else ():
        if job.state == "failed" and (lock := sweep.take(job.number)) is not None:
            with lock:
                sweep.write(JobRecord(number=job.number, overrides=job.overrides, state="waiting"))


def _close(sweep: Sweep) -> int:
    """Print how every job ended, write the page, and return the exit code."""
    from wmframe.report.sweep import write_sweep

    jobs = sweep.jobs()
    width = len(str(len(jobs)))
    for job, name in zip(jobs, differing([job.overrides for job in jobs]), strict=True):
        tell(f"{job.number:>{max(width, 3)}}  {job.state:<9} {name}  {_outcome(sweep, job)}".rstrip())
    tell(f"page: {write_sweep(sweep)}")
    left = [job.number for job in jobs if not sweep.settled(job)]
    if left:
        tell(f"{len(left)} of {len(jobs)} jobs are left: {_listed(left)}; the same command goes on with them")
    failed = [job.number for job in jobs if job.state == "failed"]
    if failed:
        tell(f"{len(failed)} of {len(jobs)} jobs failed: {_listed(failed)}")
    return 1 if left or failed else 0


def _outcome(sweep: Sweep, job: JobRecord) -> str:
    """What a job came to, or the cause of its failure."""
    run = sweep.run_of(job)
    if job.state != "finished" or run is None:
        return " ".join(job.error.splitlines()[:1])
    return "  ".join(brief(run.record()))


def _listed(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:10]))
    return shown if len(numbers) <= 10 else f"{shown} and {len(numbers) - 10} more"
