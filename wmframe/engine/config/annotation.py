"""Annotations, as text, turned into what a YAML value must be.

In: an annotation's syntax tree and the module it stands in. Out: a `Form`: a plain typing object that
pydantic can check, or a nested component, alone or in lists and mappings. Called by `signature`.
"""

import ast
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import annotated_types
import pydantic

from wmframe.engine.config.literal import literal
from wmframe.engine.config.source import Definition, Source, resolve


@dataclass(frozen=True)
class Plain:
    """A value that JSON could hold; `type` is a real typing object."""

    type: Any


@dataclass(frozen=True)
class Nested:
    """A component of its own, with its `_target_`; `base` is the dotted name of the class that it must be."""

    base: str


@dataclass(frozen=True)
class Many:
    """A list of components, or a mapping of them when `keyed`."""

    item: "Form"
    keyed: bool


@dataclass(frozen=True)
class Maybe:
    """A component, or null."""

    inner: "Form"


Form = Plain | Nested | Many | Maybe

SCALARS: dict[str, Any] = {
    "int": int, "float": float, "str": str, "bool": bool, "None": None, "Any": Any, "object": Any,
    **{
        name: getattr(pydantic, name)
        for name in (
            "PositiveInt", "NonNegativeInt", "NegativeInt", "NonPositiveInt",
            "PositiveFloat", "NonNegativeFloat", "NegativeFloat", "NonPositiveFloat", "FiniteFloat",
            "StrictInt", "StrictFloat", "StrictStr", "StrictBool",
        )
    },
}  # fmt: skip
LISTS = frozenset({"list", "List", "Sequence", "Iterable", "Collection"})
MAPPINGS = frozenset({"dict", "Dict", "Mapping"})
CONSTRAINTS: dict[str, Callable[..., Any]] = {
    **{
        name: getattr(annotated_types, name)
        for name in ("Ge", "Gt", "Le", "Lt", "Interval", "MultipleOf", "MinLen", "MaxLen", "Len")
    },
    "StringConstraints": pydantic.StringConstraints,
}


class AnnotationError(Exception):
    """An annotation outside the vocabulary: the component must be changed, not the YAML."""


def read_form(node: ast.expr, source: Source) -> Form:
    """What an annotation asks of a value. Raises AnnotationError for one that no YAML could satisfy."""
    match node:
        case ast.Constant(value=None):
            return Plain(None)
        case ast.Constant(value=str(text)):
            return read_form(ast.parse(text, mode="eval").body, source)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _union([read_form(left, source), read_form(right, source)], node)
        case ast.Subscript(value=head, slice=inside):
            return _subscript(_last(head), inside, node, source)
        case ast.Name() | ast.Attribute():
            return _named(node, source)
        case _:
            raise AnnotationError(ast.unparse(node))


def _named(node: ast.expr, source: Source) -> Form:
    """A bare name: an alias defined by an assignment, a scalar of the vocabulary, or a component's class."""
    found = resolve(source, ast.unparse(node))
    if isinstance(found, Definition):
        if isinstance(found.node, ast.Assign | ast.AnnAssign) and found.node.value is not None:
            return read_form(found.node.value, found.source)
        return Nested(found.qualified)
    last = found.rpartition(".")[2]
    if last in SCALARS:
        return Plain(SCALARS[last])
    if last in LISTS:
        return Plain(list[Any])
    if last in MAPPINGS:
        return Plain(dict[str, Any])
    return Nested(found)


def _subscript(head: str, inside: ast.expr, node: ast.Subscript, source: Source) -> Form:
    arguments = inside.elts if isinstance(inside, ast.Tuple) else [inside]
    match head:
        case "Literal":
            values: Any = tuple(literal(a, source) for a in arguments)
            form: Form = Plain(Literal[values])
        case "Annotated":
            form = _annotated(arguments, source)
        case "tuple" | "Tuple":
            form = _tuple(arguments, source)
        case "Optional":
            form = _union([read_form(inside, source), Plain(None)], node)
        case "Union":
            form = _union([read_form(a, source) for a in arguments], node)
        case "Final" | "InitVar":
            form = read_form(inside, source)
        case _ if head in LISTS | MAPPINGS:
            form = _many(read_form(arguments[-1], source), keyed=head in MAPPINGS)
        case _:
            form = _named(node.value, source)  # a generic class, whatever it is generic in
    return form


def _many(item: Form, *, keyed: bool) -> Form:
    if not isinstance(item, Plain):
        return Many(item, keyed)
    kind: Any = item.type
    return Plain(dict[str, kind] if keyed else list[kind])


def _annotated(arguments: list[ast.expr], source: Source) -> Form:
    form = read_form(arguments[0], source)
    if not isinstance(form, Plain):
        return form
    kind = form.type
    for call in arguments[1:]:
        if not isinstance(call, ast.Call):
            continue
        values = [literal(a, source) for a in call.args]
        named: dict[str, Any] = {k.arg: literal(k.value, source) for k in call.keywords if k.arg is not None}
        if _last(call.func) == "Field":
            for constraint in pydantic.Field(**named).metadata:
                kind = Annotated[kind, constraint]
        elif _last(call.func) in CONSTRAINTS:
            kind = Annotated[kind, CONSTRAINTS[_last(call.func)](*values, **named)]
    return Plain(kind)


def _tuple(arguments: list[ast.expr], source: Source) -> Form:
    """YAML has no tuples: a list of the right length is taken for one, its items as strictly as anywhere."""
    endless = isinstance(arguments[-1], ast.Constant) and arguments[-1].value is Ellipsis
    forms = [read_form(a, source) for a in (arguments[:-1] if endless else arguments)]
    if not all(isinstance(f, Plain) for f in forms):
        return Many(forms[0], keyed=False)
    items: Any = tuple(f.type for f in forms if isinstance(f, Plain))
    kind: Any = types.GenericAlias(tuple, (items[0], ...) if endless else items)
    return Plain(Annotated[kind, pydantic.Strict(False)])


def _union(forms: list[Form], node: ast.expr) -> Form:
    nested = [f for f in forms if not isinstance(f, Plain)]
    plain = tuple(f.type for f in forms if isinstance(f, Plain))
    if not nested:
        return Plain(typing.Union[plain])  # noqa: UP007 - the members are known only here
    if len(nested) == 1 and set(plain) <= {None, type(None)}:
        return nested[0] if isinstance(nested[0], Maybe) else Maybe(nested[0])
    raise AnnotationError(f"{ast.unparse(node)}: a component or null, or plain values, but not both")


def _last(node: ast.expr) -> str:
    return ast.unparse(node).rpartition(".")[2]
