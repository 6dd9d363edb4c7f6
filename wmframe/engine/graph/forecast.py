"""What is to be computed, why, and what it will cost, judged by what was computed before.

Nodes of a stage graph come in; where each stands, the reason, and seconds and bytes go out. Called by `wmframe plan`,
and by a run for its outlook; imports nothing heavy, and reads every manifest once, however many nodes there are.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wmframe.engine.graph.node import Node
from wmframe.engine.store.keys import keyed
from wmframe.engine.store.reasons import changes, manifests, nearest_of
from wmframe.engine.store.store import Status, Store


@dataclass(frozen=True)
class Cost:
    """Wall seconds and bytes on disk."""

    seconds: float
    bytes: int


class Forecast:
    """What stands in a project's store, for planning."""

    def __init__(self, root: Path) -> None:
        self._store = Store(root / "artefacts")
        self._manifests: dict[str, list[Mapping[str, Any]]] = {}
        self._works: dict[tuple[str, str], object] = {}

    def status(self, node: Node) -> Status:
        """Say where a node's result stands."""
        return self._store.status(node.stage.name, node.key)

    def is_missing(self, node: Node) -> bool:
        """Tell whether a node is still to be computed; no file but its manifest is read."""
        return self._store.status(node.stage.name, node.key, verify=False).state not in ("cached", "sealed")

    def why(self, node: Node) -> list[str]:
        """Say why a node that is not cached will run: what differs from the nearest result, or what became of it."""
        status = self.status(node)
        request = node.request
        near = (
            nearest_of(self._of(node.stage.name), request.config, request.parents)
            if status.state == "missing"
            else None
        )
        return (changes(near, request) if near is not None else []) or [status.reason]

    def cost(self, node: Node) -> Cost | None:
        """Return what the nearest result cost that was as much work, or None if there is none."""
        request, work = node.request, self._work(node)
        alike = [manifest for manifest in self._of(node.stage.name) if self._work_of(node, manifest) == work]
        near = nearest_of(alike, request.config, request.parents)
        if near is None:
            return None
        return Cost(float(near["wall_seconds"]), sum(int(facts["bytes"]) for facts in near["files"].values()))

    def _of(self, stage: str) -> list[Mapping[str, Any]]:
        if stage not in self._manifests:
            self._manifests[stage] = list(manifests(self._store.root / stage))
        return self._manifests[stage]

    def _work(self, node: Node) -> object:
        """How much work a node is: by its own config, or by its parent's that sizes it."""
        sizing = node.parents[node.stage.sized_by] if node.stage.sized_by else node
        return _amounts(keyed(sizing.request.config), sizing.stage.amounts)

    def _work_of(self, node: Node, manifest: Mapping[str, Any]) -> object:
        """How much work a recorded result of the same stage was; None if what sizes it is not here."""
        place = node.stage.name, str(manifest["key"])
        if place not in self._works:
            self._works[place] = self._read_work(node, manifest)
        return self._works[place]

    def _read_work(self, node: Node, manifest: Mapping[str, Any]) -> object:
        role = node.stage.sized_by
        if not role:
            return _amounts(manifest["config"], node.stage.amounts)
        parent, key = node.parents[role].stage, manifest["parents"].get(role)
        found = [other for other in self._of(parent.name) if other["key"] == key]
        return _amounts(found[0]["config"], parent.amounts) if found else None


def total(costs: Iterable[Cost]) -> Cost:
    """Return the sum."""
    known = list(costs)
    return Cost(sum(cost.seconds for cost in known), sum(cost.bytes for cost in known))


def _amounts(value: object, counted: frozenset[str], path: str = "") -> dict[str, object]:
    if not isinstance(value, Mapping):
        return {path: value} if path.rpartition(".")[2] in {"_target_", *counted} else {}
    found: dict[str, object] = {}
    for name, item in value.items():
        found |= _amounts(item, counted, f"{path}.{name}")
    return found
