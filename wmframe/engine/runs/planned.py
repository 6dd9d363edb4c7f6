"""A run's graph as it was traced: what it computes, kept beside its config, so that nobody has to trace it again.

Nodes come in when a run begins; what they were goes out to whoever looks at it, whatever has become of the recipe and
of the user's own code since.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

from pydantic import AfterValidator, with_config

from wmframe.engine.config.component import Component
from wmframe.engine.graph.node import Node

NAME = re.compile(r"[A-Za-z0-9._-]{1,80}")
_KEY = re.compile(r"[0-9a-f]{16}")


@with_config(extra="forbid")
@dataclass(frozen=True, kw_only=True)
class PlannedStage:
    """A result that a run is made of, done or to come: its name in the graph, its stage and key, and what is in that.

    `config` is plain, as a manifest has it; `parents` are names in the graph by their roles. `length` is how many steps
    its history will have, None where that is not known, and `unit` what they are. `origin` is what people call a result
    that was there before, which is none of the run's own.
    """

    name: str
    stage: str
    version: int
    key: str
    config: Mapping[str, Any] = field(default_factory=dict)
    parents: Mapping[str, str] = field(default_factory=dict)
    publishes: str = ""
    length: int | None = None
    unit: str = "steps"
    origin: str = ""

    @classmethod
    def of(cls, node: Node) -> "PlannedStage":
        """Return what is kept of a node."""
        length, unit = node.length
        return cls(
            name=node.name,
            stage=node.stage.name,
            version=node.stage.version,
            key=node.key,
            config={name: v.plain() if isinstance(v, Component) else v for name, v in node.config.items()},
            parents={role: parent.name for role, parent in node.parents.items()},
            publishes=node.stage.publishes,
            length=length,
            unit=unit,
            origin=node.origin,
        )


def _sound(stages: tuple[PlannedStage, ...]) -> tuple[PlannedStage, ...]:
    known: set[str] = set()
    for stage in stages:
        if not NAME.fullmatch(stage.name) or not NAME.fullmatch(stage.stage) or not _KEY.fullmatch(stage.key):
            raise ValueError(f"{stage.name!r} of {stage.stage!r} with key {stage.key!r} is no stage")
        if stage.name in known or not known.issuperset(stage.parents.values()):
            raise ValueError(f"{stage.name!r} stands there twice, or before what it is made of")
        known.add(stage.name)
    return stages


@with_config(extra="forbid")
@dataclass(frozen=True, kw_only=True)
class RunGraph:
    """graph.json: parents before children, what was there before among them."""

    stages: Annotated[tuple[PlannedStage, ...], AfterValidator(_sound)]

    @classmethod
    def of(cls, nodes: Sequence[Node]) -> "RunGraph":
        """Return what is kept of a traced graph."""
        there = {parent.name: parent for node in nodes for parent in node.parents.values() if parent.origin}
        return cls(stages=tuple(PlannedStage.of(node) for node in (*there.values(), *nodes)))

    @property
    def own(self) -> list[PlannedStage]:
        """What the run itself computes, in that order."""
        return [stage for stage in self.stages if not stage.origin]

    def plain(self) -> dict[str, Any]:
        """Return the same as JSON would hold it."""
        return {"stages": [asdict(stage) for stage in self.stages]}
