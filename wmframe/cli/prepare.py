"""From a command line to bound experiments: everything that can be wrong with a config is found here.

In: an `Invocation`. Out: one `Job` a run. Called by `run` and `plan` before anything is computed; imports no
torch.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wmframe.cli.overrides import Invocation
from wmframe.errors import UserError

if TYPE_CHECKING:
    from wmframe.config.component import Component

EXPERIMENT = "wmframe.pipeline.experiment.Experiment"


@dataclass(frozen=True)
class Job:
    """One run to be: its overrides, its resolved config, and the experiment that the config was bound to."""

    overrides: tuple[str, ...]
    config: Mapping[str, object]
    experiment: "Component"


def prepare(invocation: Invocation, *, conf: Path | None = None, target: str = EXPERIMENT) -> list[Job]:
    """Compose and bind every job of an invocation; the first mistake ends it before any job could run.

    Without `-m` there is one job. Raises UserError (ConfigError for keys and values), naming the job in a
    sweep.
    """
    from wmframe.config.compose import composing, expand  # Hydra takes half a second to import: not for `--help`

    folders = invocation.folders
    wanted = [list(invocation.overrides)]
    if invocation.multirun:
        wanted = expand(invocation.overrides, conf=conf, folders=folders)
    jobs: list[Job] = []
    with composing(conf=conf, folders=folders) as compose:
        for overrides in wanted:
            try:
                jobs.append(_job(overrides, compose, invocation, target))
            except UserError as error:
                if not invocation.multirun:
                    raise
                changed = " ".join(o for o in overrides if o not in invocation.overrides)
                raise UserError(f"job {len(jobs) + 1} ({changed}): {error}", exit_code=error.exit_code) from error
    return jobs


def _job(
    overrides: Sequence[str],
    compose: Callable[[Sequence[str]], dict[str, object]],
    invocation: Invocation,
    target: str,
) -> Job:
    from wmframe.config.bind import bind

    config = compose(overrides)
    if "_target_" in config:
        raise UserError("_target_ is not a key of the config itself, only of its components")
    return Job(tuple(overrides), config, bind(config, target=target, allowed=invocation.allowed))
