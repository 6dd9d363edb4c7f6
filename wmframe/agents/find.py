"""The run that a person names, one of theirs or an agent that wmframe ships, and its agent's record.

Called by the commands, and by whatever opens an agent. Imports nothing heavy.
"""

from pathlib import Path

from wmframe.agents.zoo import PREFIX, unpack
from wmframe.engine.runs import runs as engine
from wmframe.engine.runs.runs import Run, StageRecord


def find_run(named: str, *, runs: Path = Path("runs")) -> Run:
    """Return the run that a person names by its folder, by its name under `runs`, or as "latest".

    An agent that wmframe ships is named "zoo/…" and copied beside `runs` first. Raises UserError for any other name.
    """
    if named.startswith(PREFIX):
        return Run(unpack(named, runs.parent).resolve())
    return engine.find_run(named, runs=runs)


def agent_of(run: Run) -> StageRecord:
    """Return how a run came by its agent; raises UserError if it has none yet."""
    return run.published("agent")
