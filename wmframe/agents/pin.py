"""Who drives in round 1 where a config says so: a finished agent, pinned to its very bytes.

The name that a person types comes in ("zoo/car_racing_dream", or a run). `pin` adds the agent's key to it, so that a
config goes on meaning the same agent whatever its name comes to stand for; `fetch` brings that agent into the project.
Imports nothing heavy. Called by the commands that read a config, and by the runner.
"""

import re
from pathlib import Path
from typing import Final

from wmframe.agents.find import agent_of, find_run
from wmframe.agents.zoo import PREFIX, copy_folder, shipped_agent
from wmframe.engine.errors import UserError
from wmframe.engine.graph.stage import declaration
from wmframe.engine.store.artefact import Artefact
from wmframe.engine.store.store import Store
from wmframe.stages import declared

AGENT: Final = declaration(declared.agent).name
"""The stage whose results such agents are, and so the folder of the store that they lie in."""

PINNED: Final = re.compile(r"(?P<named>.+)@(?P<key>[0-9a-f]{16})")
"""An agent's name with its key, which alone stands in the graph."""


def pin(named: str, root: Path) -> str:
    """Return "name@key" for the agent that is now meant by a name in the project at `root`.

    What is pinned already stays as it is. Raises UserError for a name that is no run's and not shipped, and for a run
    without a driver.
    """
    if PINNED.fullmatch(named) is not None:
        return named
    try:
        if named.startswith(PREFIX):
            return f"{named}@{shipped_agent(named)}"
        run = find_run(named, runs=root / "runs")
        return f"{run.name if named == 'latest' else named}@{agent_of(run).key}"
    except UserError as error:
        raise UserError(f"first_driver: {error}") from error


def fetch(pinned: str, store: Store) -> Artefact:
    """Return a pinned agent, every byte checked, copied into the project of `store` if it lies elsewhere.

    Raises UserError if the name has come to stand for another agent, and this one is nowhere.
    """
    named, _, key = pinned.rpartition("@")
    kept = store.find(AGENT, key)
    if kept is not None:
        return kept
    run = find_run(named, runs=store.root.parent / "runs")
    lies = run.root / "artefacts" / AGENT / key
    if lies.is_dir():
        copy_folder(lies, store.root / AGENT / key)
    kept = store.find(AGENT, key)
    if kept is None:
        raise UserError(
            f"first_driver={pinned}: {named} has no such agent any more, or it is damaged. To take the one that it "
            f"has: first_driver={named}",
            exit_code=1,
        )
    return kept
