"""What is to be computed, why, and what it will cost, judged by what was computed before.

Nodes of a stage graph come in; where each stands, the reason, and seconds and bytes go out. Called by `wmframe plan`,
and by a run for its outlook; imports nothing heavy, and reads every manifest once, however many nodes there are.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from wmframe.pipeline.keys import CODE, keyed
from wmframe.pipeline.node import Node
from wmframe.pipeline.reasons import changes, manifests, nearest_of
from wmframe.pipeline.store import Status, Store

_AMOUNTS: Final = frozenset(
    {"_target_", "steps", "most_steps", "episodes", "population", "rollouts", "select_rollouts", "generations"}
    | {"updates", "climbs", "dreams", "batch_size", "sequence", "horizon", "max_frames", "action_repeat", "round"}
)
"""Fields on which the work grows in proportion, or that make it another kind of work: a result that differs in one says
nothing of the time."""


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
        return self._store.status(node.stage, node.key)

    def is_missing(self, node: Node) -> bool:
        """Tell whether a node is still to be computed; no file but its manifest is read."""
        return self._store.status(node.stage, node.key, verify=False).state not in ("cached", "sealed")

    def why(self, node: Node) -> list[str]:
        """Say why a node that is not cached will run: what differs from the nearest result, or what became of it."""
        status = self.status(node)
        request = node.request
        near = nearest_of(self._of(node.stage), request.config, request.parents) if status.state == "missing" else None
        return (changes(near, request) if near is not None else []) or [status.reason]

    def cost(self, node: Node) -> Cost | None:
        """Return what the nearest result cost that was as much work, or None if there is none."""
        request, work = node.request, _work(node)
        alike = [manifest for manifest in self._of(node.stage) if self._work_of(node.stage, manifest) == work]
        near = nearest_of(alike, request.config, request.parents)
        if near is None:
            return None
        return Cost(float(near["wall_seconds"]), sum(int(facts["bytes"]) for facts in near["files"].values()))

    def _of(self, stage: str) -> list[Mapping[str, Any]]:
        if stage not in self._manifests:
            self._manifests[stage] = list(manifests(self._store.root / stage))
        return self._manifests[stage]

    def _work_of(self, stage: str, manifest: Mapping[str, Any]) -> object:
        place = stage, str(manifest["key"])
        if place not in self._works:
            self._works[place] = self._read_work(manifest)
        return self._works[place]

    def _read_work(self, manifest: Mapping[str, Any]) -> object:
        if manifest["config"].keys() - {CODE}:
            return _amounts(manifest["config"])
        recorded = self._collections.get(manifest["parents"].get("collect", ""))
        return _amounts(recorded["config"]) if recorded is not None else None

    @cached_property
    def _collections(self) -> Mapping[str, Mapping[str, Any]]:
        return {manifest["key"]: manifest for manifest in self._of("collect")}


def total(costs: Iterable[Cost]) -> Cost:
    """Return the sum."""
    known = list(costs)
    return Cost(sum(cost.seconds for cost in known), sum(cost.bytes for cost in known))


def _work(node: Node) -> object:
    """How much work a node is: by its own config, or where it has none (latents) by how much was recorded."""
    return _amounts(keyed((node if node.config else node.parents["collect"]).request.config))


def _amounts(value: object, path: str = "") -> dict[str, object]:
    if not isinstance(value, Mapping):
        return {path: value} if path.rpartition(".")[2] in _AMOUNTS else {}
    found: dict[str, object] = {}
    for name, item in value.items():
        found |= _amounts(item, f"{path}.{name}")
    return found
