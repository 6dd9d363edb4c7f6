"""What a table of world models has beside its sweep's rows: what V alone comes to, or how to run that.

Jobs' configs as plain data come in, since they may name modules that are not there. Called by `sweep_rows`.
"""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final

from wmframe.engine.runs.sweeps import JobRecord

_OF_ANY_ROW: Final = frozenset(
    {"name", "experiment", "preset", "env", "collect", "vision", "evaluate", "trainer", "tracker", "paths"}
)
"""Groups that a V-only run shares with the sweep beside which it stands."""


def remembers(configs: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether jobs are of world models, whose recipe names an M; so they are while no config can be read."""
    known = [config for config in configs if config]
    return not known or any("memory" in config for config in known)


def is_v_only(config: Mapping[str, Any], overrides: Sequence[str]) -> bool:
    """Tell whether a job has no M."""
    memory = config.get("memory")
    target = str(memory.get("_target_", "")) if isinstance(memory, dict) else ""
    return target.endswith(".NoMemory") or "memory=none" in overrides


def v_only_command(jobs: Sequence[JobRecord]) -> str:
    """Return the command that runs what has no M beside these jobs."""
    common = set.intersection(*(set(job.overrides) for job in jobs)) if jobs else set()
    shared = sorted(o for o in common if o.partition("=")[0].lstrip("+").partition(".")[0] in _OF_ANY_ROW)
    return shlex.join(["wmframe", "run", "-m", "ablation=senses", *shared])
