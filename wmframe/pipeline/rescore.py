"""Score a finished run's agent on other seeds, training nothing. Called by `wmframe evaluate`."""

from collections.abc import Mapping, Sequence
from typing import Any

from wmframe.config.bind import Component
from wmframe.errors import UserError
from wmframe.files import read_json
from wmframe.pipeline.graph import Node, graph
from wmframe.pipeline.provenance import provenance
from wmframe.pipeline.runner import Worker
from wmframe.pipeline.runs import Run
from wmframe.pipeline.store import Store
from wmframe.stages.building import build_part
from wmframe.stages.machine import Machine
from wmframe.tracking.progress import Progress


def rescore(
    run: Run, experiment: Component, *, allowed: Sequence[str], progress: Progress
) -> Mapping[str, Mapping[str, Any]]:
    """Return returns and lengths by world for an experiment that differs from the run's only in `evaluate`.

    Raises UserError if the agent itself is missing or damaged: training it is for `wmframe run`.
    """
    machine = build_part(experiment, "trainer", Machine, allowed=allowed)
    machine.settle()
    worker = Worker(run.root, machine, allowed, progress)
    facts = provenance(device=str(machine.device), seed=0)
    scores: dict[str, Mapping[str, Any]] = {}
    for node in _needed(graph(experiment)):
        if node.stage not in {"baseline", "evaluate"}:
            _must_exist(run, node)
        artefact, _ = worker.obtain(node, facts)
        if node.stage in {"baseline", "evaluate"}:
            scores |= read_json(artefact.file("scores.json"))["scores"]
    return scores


def _needed(nodes: Sequence[Node]) -> list[Node]:
    """Return the last node and its direct parents: to act, an agent needs not the data it learned from."""
    parents = {node.name for node in nodes[-1].parents.values()}
    return [*(node for node in nodes if node.name in parents), nodes[-1]]


def _must_exist(run: Run, node: Node) -> None:
    store = Store(run.root / "artefacts")
    if store.find(node.request.stage, node.request.key) is None:
        raise UserError(
            f"{run.name}: its {node.name} ({node.request.stage}/{node.request.key}) is missing or damaged. "
            f"Type its command again to compute it: {run.record().command}",
            exit_code=1,
        )
