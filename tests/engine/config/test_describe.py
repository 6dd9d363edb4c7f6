import ast
from pathlib import Path

import pytest

from wmframe.engine.config.annotation import AnnotationError, Many, Maybe, Nested, Plain, read_form
from wmframe.engine.config.describe import describe, show
from wmframe.engine.config.source import Source

TEXT = """
from collections.abc import Mapping, Sequence
import annotated_types as at
import typing as t
from pydantic import Field, PositiveInt, StringConstraints
from typing import Annotated, Literal, Optional, Union
from mine.parts import Part

LEAST = 2
Share = Annotated[float, at.Ge(0), at.Le(1)]
Shares = Sequence[Share]
"""


def form(annotation: str) -> Plain | Nested | Many | Maybe:
    source = Source("here", Path("here.py"), ast.parse(TEXT), ("wmframe",))
    return read_form(ast.parse(annotation, mode="eval").body, source)


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        ("int", "an integer"),
        ("PositiveInt", "an integer > 0"),
        ("'PositiveInt | None'", "an integer > 0, or null"),
        ("Optional[float]", "a number, or null"),
        ("Union[int, str]", "an integer, or text"),
        ("Share", "a number >= 0 and <= 1"),
        ("Shares", "a list, each item a number >= 0 and <= 1"),
        ("Annotated[int, at.Interval(ge=LEAST, lt=2**8)]", "an integer >= 2 and < 256"),
        ("Annotated[int, Field(gt=1, multiple_of=2)]", "an integer > 1 and in steps of 2"),
        ("Annotated[list[int], at.MinLen(1)]", "a list, each item an integer (at least 1)"),
        ("Annotated[str, StringConstraints(pattern='^[a-z]+$')]", "text matching ^[a-z]+$"),
        ("t.Literal['a', 'b']", "one of a, b"),
        ("bool", "true or false"),
        ("dict[str, int]", "a mapping, each value an integer"),
        ("Mapping[str, Part]", "a mapping of items, each a Part, that is a mapping with `_target_`"),
        ("tuple[float, ...]", "a list, each item a number"),
        ("tuple[int, str]", "a list of an integer, text"),
        ("list", "a list, each item any plain value"),
        ("Part | None", "a Part, that is a mapping with `_target_`, or null"),
        ("list[Part]", "a list of items, each a Part, that is a mapping with `_target_`"),
    ],
)
def test_annotations_in_words(annotation: str, words: str) -> None:
    assert describe(form(annotation)) == words


@pytest.mark.parametrize("annotation", ["int | Part", "Part | mine.Other", "f()", "[int]"])
def test_what_no_yaml_can_hold(annotation: str) -> None:
    with pytest.raises(AnnotationError):
        form(annotation)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        ("", '""'),
        ("abc", "abc"),
        (1.5, "1.5"),
        ({"a": [1]}, '{"a": [1]}'),
        ("a\nb\x1b", "a\\nb\\x1b"),
        ("x" * 100, "x" * 57 + "..."),
        (float("nan"), "NaN"),
        ({1, }, "{1}"),
    ],
)  # fmt: skip
def test_values_on_one_short_line(value: object, text: str) -> None:
    assert show(value) == text
