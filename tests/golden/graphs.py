"""Stage graphs as the goldens see them: labelled, directed, compared by what they are made of and not by name.

A node's label is its stage and every field that its key holds; its edges bear the role that the parent has, and parents
of one role stand in order (`latents.1`, `latents.2`). What a node is called on a screen ("memory.2") is no part of it:
inside one graph the name only ties edges to nodes. Two graphs are equal if their nodes' digests are, where a digest is
that of the label and of the parents' digests by role.

As files, graphs share what they have in common: a part of the config (V's, M's, …) stands once in `components`, and a
recipe may be written as another one with differences.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final


@dataclass(frozen=True)
class Node:
    """One result: its stage, what stands in its key as dotted names with plain values, its parents' names by role."""

    stage: str
    fields: Mapping[str, Any]
    parents: Mapping[str, tuple[str, ...]]


Graph = Mapping[str, Node]
"""Nodes by the names that they are called by in this graph."""

_ABSENT: Final = "(absent)"
_MOST: Final = 3
"""Nodes told of in one graph: what is made of them differs as well, and is only counted."""


def flat(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested plain values as dotted names; a list of plain values is one value, and so is what is empty."""
    found: dict[str, Any] = {}
    for name, inner in value.items():
        if isinstance(inner, list | tuple) and any(isinstance(item, Mapping) for item in inner):
            inner = {str(index): item for index, item in enumerate(inner)}  # noqa: PLW2901
        if isinstance(inner, Mapping) and inner:
            found |= {f"{name}.{rest}": leaf for rest, leaf in flat(inner).items()}
        else:
            found[name] = list(inner) if isinstance(inner, tuple) else inner
    return found


def digests(graph: Graph) -> dict[str, str]:
    """Return each node's digest: that of its label and, by role, of its parents' digests."""
    found: dict[str, str] = {}

    def digest(name: str) -> str:
        if name not in found:
            node = graph[name]
            made_of = {role: [digest(parent) for parent in names] for role, names in node.parents.items()}
            found[name] = _digest([node.stage, dict(node.fields), made_of])
        return found[name]

    return {name: digest(name) for name in graph}


def counterparts(recorded: Graph, planned: Graph) -> dict[str, str]:
    """Return for each recorded node the name of the planned one that is the same."""
    names = {digest: name for name, digest in digests(planned).items()}
    return {name: names[digest] for name, digest in digests(recorded).items() if digest in names}


def differences(recorded: Graph, planned: Graph) -> list[str]:
    """Say in which nodes two graphs begin to differ, and in which of their fields and parents; nothing if in none."""
    before, after = digests(recorded), digests(planned)
    if Counter(before.values()) == Counter(after.values()):
        return []
    lost = {name for name, digest in before.items() if digest not in after.values()}
    new = {name for name, digest in after.items() if digest not in before.values()}
    begin, others = _first(recorded, lost), _first(planned, new)
    told = [_about(name, recorded, others, planned, before, after) for name in begin[:_MOST]]
    if not begin:
        told += [f"{name} was not there: {_label(planned[name])}" for name in others[:_MOST]]
    rest = len(lost) - len(begin[:_MOST])
    return [*told, f"and {rest} other nodes, or those made of them"] if rest > 0 else told or ["a node is there twice"]


def _first(graph: Graph, differing: set[str]) -> list[str]:
    """Return the differing nodes whose parents all are as they should be."""
    return [
        name
        for name, node in graph.items()
        if name in differing and not any(parent in differing for names in node.parents.values() for parent in names)
    ]


def _about(
    name: str,
    recorded: Graph,
    others: Sequence[str],
    planned: Graph,
    before: Mapping[str, str],
    after: Mapping[str, str],
) -> str:
    """Say how a recorded node differs from the planned one that is most like it."""
    node = recorded[name]

    def apart(other: str) -> list[str]:
        then = {role: [before[parent] for parent in names] for role, names in node.parents.items()}
        now = {role: [after[parent] for parent in names] for role, names in planned[other].parents.items()}
        roles = sorted(role for role in then.keys() | now.keys() if then.get(role) != now.get(role))
        edges = [f"parents as {r}: {_names(node, r)} → {_names(planned[other], r)}" for r in roles]
        return [*unlike(node.fields, planned[other].fields), *edges]

    alike = sorted((len(apart(other)), other) for other in others if planned[other].stage == node.stage)
    if not alike:
        return f"{name} is gone: {_label(node)}"
    other = alike[0][1]
    called = "" if other == name else f" (now {other})"
    return f"{name}{called}, of stage {node.stage}: " + "; ".join(apart(other))


def unlike(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Say which fields differ: `memory.mixtures: 5 → 1`."""
    names = sorted(before.keys() | after.keys())
    pairs = ((name, _shown(before, name), _shown(after, name)) for name in names)
    return [f"{name}: {was} → {now}" for name, was, now in pairs if was != now]


def _shown(fields: Mapping[str, Any], name: str) -> str:
    return _text(fields[name]) if name in fields else _ABSENT


def _names(node: Node, role: str) -> str:
    return " ".join(node.parents.get(role, ())) or "none"


def _label(node: Node) -> str:
    return f"stage {node.stage}, fields {', '.join(sorted(node.fields)) or 'none'}, parents {dict(node.parents)}"


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)


def _digest(value: Any) -> str:
    return hashlib.sha256(_text(value).encode()).hexdigest()[:16]


def encode(graphs: Mapping[str, Graph], like: Mapping[str, str]) -> dict[str, Any]:
    """Return graphs by recipe as plain values; `like` names for some recipes another, in whose terms it is written."""
    components: dict[str, Any] = {}
    recipes = {}
    for recipe, graph in graphs.items():
        base = graphs[like[recipe]] if recipe in like else {}
        same = {n for n, node in graph.items() if n in base and _place(node) == _place(base[n])}
        plain = {
            "like": like.get(recipe, ""),
            "nodes": {name: _plain(node, components) for name, node in graph.items() if name not in same},
            "gone": _joined(name for name in base if name not in graph),
            "changes": _changes({name: (base[name].fields, graph[name].fields) for name in graph if name in same}),
        }
        recipes[recipe] = {name: value for name, value in plain.items() if value}
    return {"components": components, "recipes": recipes}


def decode(plain: Mapping[str, Any]) -> dict[str, Graph]:
    """Return the graphs that `encode` made plain."""
    graphs: dict[str, Graph] = {}

    def graph(recipe: str) -> Graph:
        if recipe not in graphs:
            written = plain["recipes"][recipe]
            nodes = dict(graph(written["like"])) if "like" in written else {}
            for name in _split(written.get("gone", "")):
                del nodes[name]
            nodes |= {name: _node(node, plain["components"]) for name, node in written.get("nodes", {}).items()}
            for change in written.get("changes", ()):
                for name in _split(change["nodes"]):
                    nodes[name] = _changed(nodes[name], change)
            graphs[recipe] = nodes
        return graphs[recipe]

    return {recipe: graph(recipe) for recipe in plain["recipes"]}


def _joined(names: Iterable[str]) -> str:
    """Return names as one text, those that follow each other by number as `latents.1..4`."""
    words = []
    for _, group in groupby(enumerate(names), key=lambda pair: (_stem(pair[1])[0], _stem(pair[1])[1] - pair[0])):
        run = [name for _, name in group]
        words.append(run[0] if len(run) == 1 else f"{run[0]}..{_stem(run[-1])[1]}")
    return " ".join(words)


def _split(text: str) -> tuple[str, ...]:
    """Return the names that `_joined` made a text of."""
    names: list[str] = []
    for word in text.split():
        first, _, last = word.partition("..")
        stem, number = _stem(first)
        names += [f"{stem}{n}" for n in range(number, int(last) + 1)] if last else [word]
    return tuple(names)


def _stem(name: str) -> tuple[str, int]:
    """Return a name without the number that it ends with, and the number."""
    stem = name.rstrip("0123456789")
    return stem, int(name[len(stem) :] or 0)


def _place(node: Node) -> tuple[str, Mapping[str, tuple[str, ...]]]:
    return node.stage, node.parents


def _plain(node: Node, components: dict[str, Any]) -> dict[str, Any]:
    """Return a node as plain values; parts of several fields go to `components`, under their name and digest."""
    parts: dict[str, dict[str, Any]] = {}
    fields = {}
    for path, value in node.fields.items():
        name, dot, rest = path.partition(".")
        if dot:
            parts.setdefault(name, {})[rest] = value
        else:
            fields[name] = value
    named = {name: _digest(part)[:8] for name, part in parts.items()}
    components |= {f"{name} {named[name]}": part for name, part in parts.items()}
    parents = {role: _joined(names) for role, names in node.parents.items()}
    plain = {"stage": node.stage, "parts": named, "fields": fields, "parents": parents}
    return {name: value for name, value in plain.items() if value}


def _node(plain: Mapping[str, Any], components: Mapping[str, Any]) -> Node:
    fields = dict(plain.get("fields", {}))
    for name, component in plain.get("parts", {}).items():
        fields |= {f"{name}.{rest}": value for rest, value in components[f"{name} {component}"].items()}
    parents = {role: _split(names) for role, names in plain.get("parents", {}).items()}
    return Node(plain["stage"], fields, parents)


def _changes(pairs: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Return what is set and unset in nodes of another graph, those together of which the same is to be said."""
    found: dict[str, dict[str, Any]] = {}
    named: dict[str, list[str]] = {}
    for name, (before, after) in pairs.items():
        changed = {path: after[path] for path in after if _shown(before, path) != _shown(after, path)}
        change = {"set": changed, "unset": sorted(before.keys() - after.keys())}
        change = {what: value for what, value in change.items() if value}
        if change:
            found[_text(change)] = change
            named.setdefault(_text(change), []).append(name)
    return [{**change, "nodes": _joined(named[text])} for text, change in found.items()]


def _changed(node: Node, change: Mapping[str, Any]) -> Node:
    kept = {path: value for path, value in node.fields.items() if path not in change.get("unset", ())}
    return Node(node.stage, {**kept, **change.get("set", {})}, node.parents)
