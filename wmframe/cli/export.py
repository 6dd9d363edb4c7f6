"""`wmframe export RUN to=FOLDER`: a run's agent in a folder of its own, to hand on."""

from collections.abc import Sequence
from pathlib import Path

from wmframe.agents.find import find_run
from wmframe.cli.tell import tell
from wmframe.cli.values import parse_values
from wmframe.engine.errors import UserError

HELP = """Copy a finished run's agent and scores into a folder of their own, to hand on.

usage: wmframe export RUN to=FOLDER [root=.]

  wmframe export latest to=my_driver
  wmframe evaluate latest root=my_driver episodes=8       whoever has the folder

RUN is a folder under runs/, its name, or "latest". The folder holds plain data with a checksum for every byte; opening
it executes nothing. What it was learned from stays where it is.
"""


def execute(arguments: Sequence[str]) -> int:
    """Write the folder and print what is in it."""
    given = parse_values(arguments, {"to": "", "root": "."}, most_names=1, usage=HELP)
    if not given.names or not given.values["to"]:
        raise UserError(f"which run, and where to?\n{HELP.rstrip()}")
    run, to = find_run(given.names[0], runs=Path(given.values["root"]) / "runs"), Path(given.values["to"])
    from wmframe.agents.export import export

    exported = export(run, to)
    size = sum(file.stat().st_size for file in to.rglob("*") if file.is_file())
    tell(f"exported: {exported.folder} ({size / 1e6:.1f} MB with its artefacts)")
    return 0
