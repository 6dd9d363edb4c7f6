"""Obtain a graph's nodes: from the store, or by running their stages on this machine.

Nodes come in, parents first; artefacts and how they were come by go out. Called by the runner, and by whatever computes
single results of a graph.
"""

import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_type_hints

from wmframe.engine.config.component import Component
from wmframe.engine.config.user_code import hold
from wmframe.engine.durability import signals
from wmframe.engine.graph.node import Node, named
from wmframe.engine.machine import Machine
from wmframe.engine.runs.context import HISTORY, StageContext
from wmframe.engine.runs.mirror import Mirror
from wmframe.engine.runs.runs import StageRecord
from wmframe.engine.store.artefact import Artefact
from wmframe.engine.store.store import Store
from wmframe.engine.tracking import history
from wmframe.engine.tracking.history import Row
from wmframe.engine.tracking.progress import Progress


class Worker:
    """Obtains nodes from the store of one project, computing what is missing with this process's machine."""

    def __init__(
        self,
        root: Path,
        machine: Machine,
        allowed: Sequence[str],
        progress: Progress,
        *,
        mirror: Mirror | None = None,
    ) -> None:
        self._store = Store(root / "artefacts", notice=progress.say)
        self._machine, self._allowed, self._progress = machine, allowed, progress
        self._mirror = mirror
        self._found: dict[str, Artefact] = {}

    def adopt(self, node: Node) -> None:
        """Fetch the parents of a node that are there already, so that a missing one is known before any work."""
        for parent in node.parents.values():
            if parent.published and parent.key not in self._found:
                self._found[parent.key] = named(parent.fetch)(parent.origin, self._store)

    def obtain(self, node: Node, facts: Mapping[str, Any]) -> tuple[Artefact, StageRecord]:
        """Return a node's result, from the store or by running its stage; its parents must be obtained or adopted."""
        request = replace(node.request, provenance=facts)
        began, ran = time.monotonic(), False
        mirror = self._mirror.stage(node.stage.name) if self._mirror is not None else _unheard

        def produce(work: Path) -> None:
            nonlocal ran
            ran = True
            hold(node.code.values())
            context = self._context(node, work, mirror)
            context.kept.mend()
            with signals.gently():
                _run(node, context, {role: self._found[parent.key].path for role, parent in node.parents.items()})

        artefact = self._store.obtain(request, produce)
        self._found[node.key] = artefact
        seconds = time.monotonic() - began
        if not ran:
            self._progress.say(f"{node.name}: cached {artefact.key}")
            if HISTORY in artefact.manifest["files"]:
                for row in history.read(artefact.file(HISTORY)):
                    mirror(row)
        if self._mirror is not None:
            self._mirror.artefact(artefact, made=ran)
        return artefact, StageRecord.of(node, "ran" if ran else "cached", seconds)

    def _context(self, node: Node, work: Path, listener: Callable[[Row], None]) -> StageContext:
        return StageContext(
            name=node.name,
            key=node.key,
            config=node.config,
            work=work,
            machine=self._machine,
            allowed=self._allowed,
            progress=self._progress,
            listener=listener,
        )


def _run(node: Node, context: StageContext, folders: Mapping[str, Path]) -> None:
    """Call the function that computes a stage, with its parts built and its parents as folders."""
    function = named(node.stage.run)
    parts = {name for name, value in node.config.items() if isinstance(value, Component)}
    typed = SimpleNamespace(__annotations__={n: kind for n, kind in function.__annotations__.items() if n in parts})
    kinds, arguments = get_type_hints(typed, globalns=function.__globals__), {}
    for parameter in [*inspect.signature(function).parameters][1:]:
        role = node.stage.roles.get(parameter, parameter)
        several = {int(one.partition(".")[2]): path for one, path in folders.items() if one.startswith(f"{role}.")}
        if parameter in node.config:
            plain = node.config[parameter]
            arguments[parameter] = context.build(parameter, kinds[parameter]) if parameter in kinds else plain
        elif role in folders:
            arguments[parameter] = folders[role]
        elif several:
            arguments[parameter] = dict(sorted(several.items()))
    function(context, **arguments)


def _unheard(_: Row) -> None:
    return
