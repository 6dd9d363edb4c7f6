"""`wmframe run`: compute what is missing, print the scoreboard and the path of the page."""

import shlex
from collections.abc import Sequence

from wmframe.cli.overrides import parse
from wmframe.cli.prepare import prepare
from wmframe.engine.config.shipped import choices

_GROUPS = "\n".join(f"  {group:<12}{', '.join(options)}" for group, options in choices().items())

HELP = f"""Train and score world models: collect, vision, memory, controller, evaluate.

usage: wmframe run [-m [--retry-failed] [--fail-fast]] [--config-dir DIR] [--allow MODULE] [key=value ...]

  wmframe run experiment=toy tracker=none                    the whole path on a toy, about a minute
  wmframe run experiment=car_racing preset=quick             an agent trained in its dream, 25 minutes
  wmframe run -m preset=quick world.temperature=0.5,1,1.15   a sweep; what its jobs share is computed once
  wmframe run experiment=car_racing                          the paper's sizes: days on a cluster

Choices, group=name; any key of the chosen file, group.key=value:

{_GROUPS}

  -m, --multirun      run every combination of the comma-separated values
  --retry-failed      with -m: run again what failed before
  --fail-fast         with -m: begin nothing more once a job has failed
  --config-dir DIR    a folder of your own YAML groups, searched after wmframe's
  --allow MODULE      a module besides wmframe that `_target_` may name; an edit of it recomputes what it made

What has been computed before is not computed again; a run that was killed goes on where it stopped.
`wmframe plan` with the same arguments says what would run, and why.

A sweep has a folder, sweeps/<name>-<digest>, which the same command finds again: jobs that finished are not run again.
Its jobs are every combination of values; a key is swept over or set, not both, and a dictionary is merged key by key.
How its jobs are found and run is Hydra's, with its own keys:

  hydra/launcher=joblib hydra.launcher.n_jobs=2      several at a time here      (pip install 'wmframe[joblib]')
  hydra/launcher=submitit_slurm                      on a cluster                (pip install 'wmframe[submitit]')
  hydra/sweeper=nevergrad hydra.sweeper.budget=30    search the best of ranges: choice(a,b), range(1,9),
                                                     interval(0.5,1.5), tag(log,interval(1e-4,1e-2))
"""


def execute(arguments: Sequence[str]) -> int:
    """Check everything, then run every job."""
    invocation = parse(arguments)
    jobs = prepare(invocation)
    from wmframe.engine.runs.provenance import without_secret

    command = shlex.join(["wmframe", "run", *map(without_secret, arguments)])
    if invocation.multirun:
        from wmframe.cli.sweep import run_sweep

        return run_sweep(jobs, invocation, command)
    from wmframe.cli.jobs import run_alone
    from wmframe.engine.runs.runner import Order

    [job] = jobs
    run_alone(Order(experiment=job.experiment, overrides=job.overrides, command=command, allowed=invocation.allowed))
    return 0
