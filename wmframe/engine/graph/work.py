"""How much work a result is, as its stage judges it: for an estimate of the whole run."""

from contextlib import suppress
from dataclasses import dataclass

from wmframe.engine.graph.node import Node, named


@dataclass(frozen=True)
class Work:
    """Seconds that a stage would have taken where its table was measured.

    Stages of one `kind` differ in amount alone; `simulated` says whether an environment takes the time, or arithmetic.
    """

    kind: str
    seconds: float
    simulated: bool = False


def work_of(node: Node) -> Work | None:
    """Return how much work a node is; None where its stage does not say, or cannot tell of such parts."""
    if not node.stage.work:
        return None
    # A component may be anybody's, and lack any of the arguments that a stage's own have.
    with suppress(KeyError, TypeError, AttributeError, ValueError):
        found = named(node.stage.work)(node)
        return found if isinstance(found, Work) else None
    return None
