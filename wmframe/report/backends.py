"""Say so where a run's collections were recorded on different versions of an environment, as after an upgrade.

Results come in as the runner has them; a line for people goes out, "" for nothing to tell. Made once a run.
"""

from wmframe.engine.durability.files import read_json
from wmframe.engine.graph.node import Node
from wmframe.engine.runs.runs import Run
from wmframe.engine.store.artefact import Artefact


class Backends:
    """Compares each collection with the first."""

    def __init__(self) -> None:
        self._first = ""

    def __call__(self, _: Run, node: Node, artefact: Artefact) -> str:
        """Return what to tell of this result."""
        if node.stage.publishes != "episodes":
            return ""
        latest = ", ".join(read_json(artefact.file("summary.json"))["backends"])
        self._first = self._first or latest
        if latest == self._first:
            return ""
        return (
            f"{node.name} was recorded on {latest}, the first round on {self._first}: M learns from both. "
            "To learn from one alone, run again with another paths.root."
        )
