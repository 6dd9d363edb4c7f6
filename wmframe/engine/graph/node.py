"""A node of the stage graph: one result, what stands in its key, and what it is made of.

Made while a recipe is traced; asked of the store by the runner. Imports nothing heavy.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from wmframe.engine.config.component import Component, modules_in
from wmframe.engine.config.user_code import Module
from wmframe.engine.store.artefact import Request
from wmframe.engine.store.keys import CODE


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What can be computed: `graph.stage.stage` says what its fields are."""

    name: str
    version: int
    run: str
    roles: Mapping[str, str] = field(default_factory=dict)
    publishes: str = ""
    rebuilt: bool = False
    amounts: frozenset[str] = frozenset()
    added: Mapping[str, object] = field(default_factory=dict)
    sized_by: str = ""
    work: str = ""
    length: Sequence[str] = ()


def named(function: str) -> Callable[..., Any]:
    """Import the function that a "module:function" names, as a stage's fields do."""
    module, _, name = function.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found


@dataclass(frozen=True)
class Node:
    """One result to be had: its `name` in the graph ("memory.2"), its stage, what stands in its key, its parents.

    `published` is the key of one that is there already, however it came to be, `origin` what people call it, and
    `fetch` names the function ("module:function") that brings it into a store.
    """

    name: str
    stage: Stage
    config: Mapping[str, object]
    parents: Mapping[str, "Node"]
    published: str = ""
    origin: str = ""
    own_code: tuple[Module, ...] = ()
    fetch: str = ""

    @cached_property
    def code(self) -> Mapping[str, Module]:
        """The user's own modules that it is computed by: those of its own parts, and of what it rebuilds of its
        parents'. The parents' keys say what those were when they were made, and it may be another day.
        """
        found = {module.name: module for module in self.own_code} | modules_in(self.config)
        for parent in self.parents.values():
            found |= parent.code if parent.stage.rebuilt else {}
        return found

    @property
    def length(self) -> tuple[int | None, str]:
        """How many steps its history will have, and what they are: (20, "generations"); None where nobody said."""
        for path in self.stage.length:
            part, _, name = path.rpartition(".")
            holder = self.config.get(part)
            found = (holder.arguments if isinstance(holder, Component) else self.config).get(name)
            if isinstance(found, int):
                return found, name
        return None, "steps"

    @property
    def key(self) -> str:
        """The key under which it is, or is to be, published."""
        return self.published or self.request.key

    @cached_property
    def request(self) -> Request:
        """What to ask the store for."""
        config = {k: self._keyed(k, v.plain() if isinstance(v, Component) else v) for k, v in self.config.items()}
        if self.code:
            config[CODE] = {module.file: module.fingerprint for module in self.code.values()}
        return Request(
            stage=self.stage.name,
            code_version=self.stage.version,
            config=config,
            parents={name: node.key for name, node in self.parents.items()},
            seeds={"seed": self.config["seed"]} if "seed" in self.config else {},
        )

    def _keyed(self, path: str, value: object) -> object:
        """Return a value of the config without the stage's `added` fields that change nothing."""
        if not isinstance(value, Mapping):
            return value
        named = {name: (f"{path}.{name}", item) for name, item in value.items()}
        return {
            name: self._keyed(dotted, item)
            for name, (dotted, item) in named.items()
            if not self._changes_nothing(dotted, item)
        }

    def _changes_nothing(self, dotted: str, item: object) -> bool:
        """Tell whether a field has come to the stage since, and has the value at which it changes nothing."""
        return any(
            item == neutral and (dotted == path or (path.startswith("**") and f".{dotted}".endswith(path[2:])))
            for path, neutral in self.stage.added.items()
        )
