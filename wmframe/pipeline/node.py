"""A node of the stage graph: one result, what stands in its key, and what it is made of.

Made by `graph`; asked of the store by the runner. Imports nothing heavy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from wmframe.config.component import Component, modules_in
from wmframe.pipeline.artefact import Request
from wmframe.pipeline.keys import CODE
from wmframe.stages.versions import CODE_VERSIONS
from wmframe.user_code import Module

FIRST_DRIVER: Final = "first_driver"
"""The node of the agent that is there already: no result of the experiment, so not among its nodes."""

_REBUILT: Final = frozenset({"vision", "memory", "controller", "agent", FIRST_DRIVER})
"""Stages whose results are parts that other stages build again, by the code as it is then."""


@dataclass(frozen=True)
class Node:
    """One result to be had: its `name` in the graph ("memory.2"), what stands in its key, what it is made of.

    `published` is the key of one that is there already, however it came to be.
    """

    name: str
    config: Mapping[str, object]
    parents: Mapping[str, "Node"]
    published: str = ""

    @property
    def stage(self) -> str:
        """The stage that computes it."""
        return self.name.split(".")[0]

    @cached_property
    def code(self) -> Mapping[str, Module]:
        """The user's own modules that it is computed by: those of its own parts, and of what it rebuilds of its
        parents'. The parents' keys say what those were when they were made, and it may be another day.
        """
        found = modules_in(self.config)
        for parent in self.parents.values():
            found |= parent.code if parent.stage in _REBUILT else {}
        return found

    @property
    def key(self) -> str:
        """The key under which it is, or is to be, published."""
        return self.published or self.request.key

    @cached_property
    def request(self) -> Request:
        """What to ask the store for."""
        config = {k: v.plain() if isinstance(v, Component) else v for k, v in self.config.items()}
        if self.code:
            config[CODE] = {module.file: module.fingerprint for module in self.code.values()}
        return Request(
            stage=self.stage,
            code_version=CODE_VERSIONS[self.stage],
            config=config,
            parents={name: node.key for name, node in self.parents.items()},
            seeds={"seed": self.config["seed"]} if "seed" in self.config else {},
        )
