"""A finished run reduced to what it takes to use its agent. Called by `wmframe export`."""

from dataclasses import replace
from pathlib import Path

from wmframe.agents.agent import agent_artefact, open_artefacts
from wmframe.agents.zoo import PACKED, pack
from wmframe.engine.errors import UserError
from wmframe.engine.runs.runs import Run


def export(run: Run, entry: Path) -> Run:
    """Write the run's agent and scores into the new folder `entry`, and return the run as it stands there.

    Raises UserError if the run is not finished, an artefact is missing or damaged, or something stands at `entry`.
    """
    record = run.record()
    if record.state != "finished":
        raise UserError(f"{run.name} is not finished: it is {record.state}. Its command: {record.command}", exit_code=1)
    if entry.exists():
        raise UserError(f"{entry}: stands there already. Give a folder that does not exist yet.")
    agent = agent_artefact(run)
    stages = [stage for stage in record.stages if stage.publishes in PACKED]
    folders = [artefact.path for artefact in open_artefacts(run, stages).values()]
    exported = Run(pack(run.folder, agent.key, folders, entry))
    exported.write(replace(record, stages=tuple(stages)))
    return exported
