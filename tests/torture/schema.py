"""Every field of the schema, found by walking a bound experiment beside its signatures, and other values for each."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from wmframe.cli.prepare import EXPERIMENT
from wmframe.engine.config.annotation import Form, Many, Maybe, Plain
from wmframe.engine.config.bind import Component, bind
from wmframe.engine.config.component import ConfigError
from wmframe.engine.config.signature import read_signature


@dataclass(frozen=True)
class Leaf:
    """A field of plain values: its path in the config, the value that it has, and what it may be."""

    path: tuple[str, ...]
    value: Any
    form: Form

    @property
    def key(self) -> str:
        """Its dotted name."""
        return ".".join(self.path)


def leaves(component: Component, path: tuple[str, ...] = ()) -> Iterator[Leaf]:
    """Every field of a component and of those in it."""
    parameters = read_signature(component.target, allowed=("wmframe",)).parameters
    for name, value in component.arguments.items():
        yield from _of(value, parameters[name].form, (*path, name))


def _of(value: Any, form: Form, path: tuple[str, ...]) -> Iterator[Leaf]:
    if isinstance(value, Component):
        yield from leaves(value, path)
    elif isinstance(form, Many) and form.keyed and isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _of(item, form.item, (*path, name))
    else:
        yield Leaf(path, value, form)


def edited(experiment: Component, leaf: Leaf) -> tuple[object, Component] | None:
    """The first other value that the schema takes, and the experiment with it; None if it takes no other."""
    for value in _others(leaf):
        plain = copy.deepcopy(experiment.plain())
        inner: Any = plain
        for name in leaf.path[:-1]:
            inner = inner[name]
        inner[leaf.path[-1]] = value
        del plain["_target_"]
        try:
            bound = bind(plain, target=EXPERIMENT)
        except ConfigError:
            continue
        if bound != experiment:
            return value, bound
    return None


def _others(leaf: Leaf) -> Iterator[object]:
    value = leaf.value
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value - 1, value * 2)
    elif isinstance(value, float):
        yield from (value * 0.875, value + 0.125, value - 0.125, 0.5)
    elif isinstance(value, list | tuple) and value and isinstance(value[0], int):
        yield [value[0] + 8, *value[1:]]
    yield from _literals(leaf.form)
    if isinstance(value, str):
        yield f"{value}_x"
    yield from (3, 0.5, [2], [1, 2], [0.5], {"x": 1}, True, "x", None)


def _literals(form: Form) -> Iterator[object]:
    if isinstance(form, Maybe):
        yield from _literals(form.inner)
    elif isinstance(form, Plain):
        yield from _options(form.type)


def _options(kind: Any) -> Iterator[object]:
    if get_origin(kind) is Literal:
        yield from get_args(kind)
    else:
        for inner in get_args(kind):
            yield from _options(inner)
