"""What is called otherwise today than when the goldens were recorded: the one place where old names meet new ones.

`TODAY` starts empty and grows with the rebuilding, one line a name that moved, old → new. A recording is translated
when it is read, never rewritten, so each line can be checked by reading it. What can be said:

- `stages`: the name of a stage: `{"memory": "fit_memory"}`.
- `roles`: the role of a parent, for one stage or for all: `{"memory.memory": "start", "*.collect": "episodes"}`.
- `fields`: a field of a key, or all below it, for one stage or for all:
  `{"*.later_share": "recent_fraction", "collect.collect.first": "sources"}`.
- `targets`: the dotted name of a class, or the module or package that it moved with:
  `{"wmframe.worlds.settings": "wmframe.worlds.config"}`.
- `values`: a word among a field's values, for one stage or for all: `{"*.controller.senses": {"zh": "z,h"}}`.
- `gone`: fields, or all below them, that stand in no key any more: `{"collect.collect.later"}`. They no longer count,
  so each needs a reason beside it.
- `new`: fields of today's keys that stood in none: `{"evaluate.seed"}`. They do not count either.
- `words`: a word among a result's facts (`test_toys`), in their names or for a value: `{"reality": "real"}`.
- `facts_gone`, `facts_new`: facts that no result has any more, or that none had, as patterns: `{"metrics.json:*"}`.

Stages in `roles`, `fields`, `values` and `gone` are called by their old names, in `new` by their new ones.
"""

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final, TypeVar

from tests.golden.graphs import Graph, Node

Said = TypeVar("Said")


@dataclass(frozen=True, kw_only=True)
class Translation:
    """A table of old names and new ones."""

    stages: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    targets: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[Any, Any]] = field(default_factory=dict)
    gone: Set[str] = frozenset()
    new: Set[str] = frozenset()
    words: Mapping[str, str] = field(default_factory=dict)
    facts_gone: Set[str] = frozenset()
    facts_new: Set[str] = frozenset()

    def recorded(self, graph: Graph) -> Graph:
        """Return a recorded graph in today's words."""
        return {name: self._node(node) for name, node in graph.items()}

    def planned(self, graph: Graph) -> Graph:
        """Return one of today's graphs without what no recording can know of."""
        return {
            name: Node(node.stage, {p: v for p, v in node.fields.items() if not self._new(node, p)}, node.parents)
            for name, node in graph.items()
        }

    def facts_recorded(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Return a recorded result's facts in today's words."""
        kept = {name: value for name, value in facts.items() if not _matches(name, self.facts_gone)}
        return {self._fact(name): self._said(value) for name, value in kept.items()}

    def facts_today(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Return a result's facts without those that no recording can know of."""
        return {name: value for name, value in facts.items() if not _matches(name, self.facts_new)}

    def _fact(self, name: str) -> str:
        """Return the name of a fact in today's words: its parts, between `/`, `:` and `.`, one by one."""
        return "".join(self.words.get(part, part) for part in re.split(r"([/:.])", name))

    def _said(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._said(item) for item in value]
        return self.words.get(value, value) if isinstance(value, str) else value

    def _node(self, node: Node) -> Node:
        kept = {p: v for p, v in node.fields.items() if _lookup(dict.fromkeys(self.gone, True), node.stage, p) is None}
        fields = {self._path(node.stage, path): self._value(node.stage, path, value) for path, value in kept.items()}
        parents = {self._role(node.stage, role): names for role, names in node.parents.items()}
        return Node(self.stages.get(node.stage, node.stage), fields, parents)

    def _role(self, stage: str, role: str) -> str:
        return self.roles.get(f"{stage}.{role}", self.roles.get(f"*.{role}", role))

    def _path(self, stage: str, path: str) -> str:
        found = _lookup(self.fields, stage, path)
        return path if found is None else found[0] + found[1]

    def _value(self, stage: str, path: str, value: Any) -> Any:
        if path.rpartition(".")[2] == "_target_":
            moved = _lookup({f"*.{old}": new for old, new in self.targets.items()}, "*", value)
            value = value if moved is None else moved[0] + moved[1]
        words = self.values.get(f"{stage}.{path}", self.values.get(f"*.{path}", {}))
        return words.get(value, value) if not isinstance(value, list | dict) else value

    def _new(self, node: Node, path: str) -> bool:
        return _lookup(dict.fromkeys(self.new, True), node.stage, path) is not None


def _matches(name: str, patterns: Set[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _lookup(table: Mapping[str, Said], stage: str, path: str) -> tuple[Said, str] | None:
    """Return what a table says of a field or of the nearest thing that holds it, and the rest of its name.

    What is said of one stage goes before what is said of all.
    """
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        for of in (stage, "*"):
            if (key := ".".join((of, *parts[:length]))) in table:
                return table[key], "".join(f".{part}" for part in parts[length:])
    return None


TODAY: Final = Translation()
