"""From a command line to bound experiments: everything that can be wrong with a config is found here.

In: an `Invocation`. Out: one `Job` a run. Called by `run` and `plan` before anything is computed; imports no
torch.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wmframe.cli.overrides import Invocation
from wmframe.engine.errors import UserError

if TYPE_CHECKING:
    from wmframe.engine.config.component import Component

EXPERIMENT = "wmframe.recipes.world_models.WorldModels"


@dataclass(frozen=True)
class Job:
    """One run to be: its overrides, its resolved config, and the experiment that the config was bound to."""

    overrides: tuple[str, ...]
    config: Mapping[str, object]
    experiment: "Component"


def prepare(invocation: Invocation, *, conf: Path | None = None, target: str = EXPERIMENT) -> list[Job]:
    """Compose and bind every job of an invocation; the first mistake ends it before any job could run.

    Without `-m` there is one job; of a search there are a few that it may ask for. Words that come to one and the same
    experiment, such as `seed=1,1`, are one job. Raises UserError (ConfigError for keys and values), naming the job in a
    sweep.
    """
    from wmframe.engine.config.compose import composing  # Hydra takes half a second to import: not for `--help`
    from wmframe.engine.runs.provenance import without_secret

    jobs: dict[str, Job] = {}
    wanted = _wanted(invocation, conf)
    with composing(conf=conf, folders=invocation.folders) as compose:
        for overrides in wanted:
            try:
                job = _job(overrides, compose, invocation, target)
            except UserError as error:
                if not invocation.multirun:
                    raise
                changed = " ".join(without_secret(o) for o in overrides if o not in invocation.overrides)
                raise UserError(f"job {len(jobs) + 1} ({changed}): {error}", exit_code=error.exit_code) from error
            jobs.setdefault(_identity(job), job)
    return list(jobs.values())


def prepare_one(overrides: Sequence[str], invocation: Invocation) -> Job:
    """Compose and bind one job, whatever the overrides of the invocation say."""
    from wmframe.engine.config.compose import composing

    with composing(folders=invocation.folders) as compose:
        return _job(overrides, compose, invocation, EXPERIMENT)


def _identity(job: Job) -> str:
    """Return text that two jobs share if they are one experiment with its results in one folder."""
    plain = job.experiment.plain()
    paths = plain.get("paths")
    root = str(Path(str(paths["root"]))) if isinstance(paths, dict) and "root" in paths else ""
    return json.dumps([root, {name: part for name, part in plain.items() if name != "paths"}], sort_keys=True)


def _wanted(invocation: Invocation, conf: Path | None) -> list[list[str]]:
    """The overrides of every job; of a search, whose jobs nobody knows yet, those of a few that it may ask for."""
    from wmframe.engine.config.compose import check_sweep, expand
    from wmframe.engine.config.multirun import hydra_config, part, samples, searches

    jobs, hydras = part(invocation.overrides)
    if not invocation.multirun:
        if hydras:
            raise UserError(f"{hydras[0]} is about the jobs of a sweep; add -m")
        return [jobs]
    if hydras and searches(hydra_config(hydras, conf=conf, folders=invocation.folders)):
        check_sweep(jobs, conf=conf, folders=invocation.folders)
        return samples(jobs)
    return expand(jobs, conf=conf, folders=invocation.folders)


def _job(
    overrides: Sequence[str],
    compose: Callable[[Sequence[str]], dict[str, object]],
    invocation: Invocation,
    target: str,
) -> Job:
    from wmframe.agents.pin import pin
    from wmframe.engine.config.bind import bind
    from wmframe.engine.graph.recipe import RECIPE, root_of

    config = compose(overrides)
    named = config.get("_target_")
    if named is None:
        experiment = bind(config, target=target, allowed=invocation.allowed)
    else:
        experiment = bind(config, kind=RECIPE, allowed=invocation.allowed)
    agent = experiment.arguments.get("first_driver")
    if isinstance(agent, str):
        experiment = experiment.with_arguments(first_driver=pin(agent, root_of(experiment)))
    return Job(tuple(overrides), config, experiment)
