"""What a value may be, in words: "an integer > 0", "one of mean, sample".

In: a typing object or a `Form`. Out: a phrase for an error message. Called by `bind`.
"""

import json
import re
import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
import pydantic

from wmframe.engine.config.annotation import Form, Many, Maybe, Nested, Plain

WORDS: dict[Any, str] = {
    int: "an integer",
    float: "a number",
    str: "text",
    bool: "true or false",
    None: "null",
    type(None): "null",
    list: "a list",
    dict: "a mapping",
    Any: "any plain value",
    object: "any plain value",
}

BOUNDS: dict[type, tuple[str, str]] = {
    annotated_types.Ge: ("ge", ">= {}"),
    annotated_types.Gt: ("gt", "> {}"),
    annotated_types.Le: ("le", "<= {}"),
    annotated_types.Lt: ("lt", "< {}"),
    annotated_types.MultipleOf: ("multiple_of", "in steps of {}"),
    annotated_types.MinLen: ("min_length", "(at least {})"),
    annotated_types.MaxLen: ("max_length", "(at most {})"),
}


SECRET = re.compile(
    r"(?i)(?:^|[_.-])(?:(?:api|access|auth|private)_?key|token|secret|passw(?:or)?d|credentials?)(?:$|[_.-])"
)


def is_secret(key: str) -> bool:
    """Tell whether a key's name says that its value is nobody else's business."""
    return SECRET.search(key) is not None


def describe(form: Form) -> str:
    """What a parameter accepts."""
    match form:
        case Plain(type=kind):
            return _plain(kind)
        case Nested(base=base):
            return f"a {base.rpartition('.')[2]}, that is a mapping with `_target_`"
        case Many(item=item, keyed=keyed):
            return f"a {'mapping' if keyed else 'list'} of items, each {describe(item)}"
        case Maybe(inner=inner):
            return f"{describe(inner)}, or null"


def show(value: object) -> str:
    """A value as YAML would have it, on one short line."""
    try:
        text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = repr(value)
    text = text.encode("unicode_escape").decode("ascii") if not text.isprintable() else text
    return text if len(text) <= 60 else text[:57] + "..."


def _plain(kind: Any) -> str:
    if kind in WORDS:
        return WORDS[kind]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        bounds = " and ".join(filter(None, map(_constraint, arguments[1:])))
        text = f"{_plain(arguments[0])} {bounds}".rstrip()
    elif origin is Literal:
        text = f"one of {', '.join(map(show, arguments))}"
    elif origin in {Union, types.UnionType}:
        text = ", or ".join(map(_plain, arguments))
    elif origin is dict:
        text = f"a mapping, each value {_plain(arguments[1])}"
    elif origin is list or (origin is tuple and Ellipsis in arguments):
        text = f"a list, each item {_plain(arguments[0])}"
    elif origin is tuple:
        text = f"a list of {', '.join(map(_plain, arguments))}"
    else:
        text = str(kind)
    return text


def _constraint(constraint: object) -> str:
    if isinstance(constraint, pydantic.StringConstraints) and constraint.pattern is not None:
        return f"matching {getattr(constraint.pattern, 'pattern', constraint.pattern)}"
    if isinstance(constraint, annotated_types.GroupedMetadata):
        return " and ".join(filter(None, map(_constraint, constraint)))
    for kind, (name, words) in BOUNDS.items():
        if isinstance(constraint, kind):
            return words.format(getattr(constraint, name))
    return ""
