from pathlib import Path

import pytest

from tests.engine.config.toy_house import House
from wmframe.engine.config.source import Definition, follow, is_allowed, locate, read_source, resolve, submodules


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("wmframe.vision", True),
        ("wmframe", True),
        ("wmframes", False),
        ("wmframe_evil.x", False),
        ("os", False),
        ("x.wmframe", False),
        ("", False),
    ],
)
def test_the_allow_list_is_of_whole_names(target: str, expected: bool) -> None:
    assert is_allowed(target, ("wmframe",)) is expected


def test_modules_are_located_without_import(house: House) -> None:
    assert locate("toyhouse.parts") == house.root / "toyhouse" / "parts.py"
    assert locate("toyhouse") == house.root / "toyhouse" / "__init__.py"
    assert locate("toyhouse.nothing") is None
    assert locate("wmframe.engine.config.source") == Path(locate.__code__.co_filename)
    assert submodules("toyhouse") == ["toyhouse.base", "toyhouse.parts"]


def test_names_are_followed_to_where_they_are_defined(house: House) -> None:
    allowed = ("toyhouse",)
    source = read_source("toyhouse.parts", allowed)
    assert source is not None
    assert source.label == "toyhouse/parts.py"
    base = resolve(source, "Vision")
    assert isinstance(base, Definition)
    assert base.qualified == "toyhouse.base.Vision"
    assert resolve(source, "PositiveInt") == "pydantic.PositiveInt"
    assert resolve(source, "dataclasses.field") == "dataclasses.field"
    assert resolve(source, "int") == "int"
    assert follow("os.system", allowed) == "os.system"
    assert follow("toyhouse.nothing.Here", allowed) == "toyhouse.nothing.Here"


def test_relative_imports_and_type_checking_blocks(house: House) -> None:
    (house.root / "toyhouse" / "near.py").write_text(
        "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from .base import Vision as Seer\n"
    )
    source = read_source("toyhouse.near", ("toyhouse",))
    assert source is not None
    found = resolve(source, "Seer")
    assert isinstance(found, Definition)
    assert found.qualified == "toyhouse.base.Vision"


def test_circular_re_exports_end(house: House) -> None:
    (house.root / "toyhouse" / "a.py").write_text("from toyhouse.b import Thing\n")
    (house.root / "toyhouse" / "b.py").write_text("from toyhouse.a import Thing\n")
    assert isinstance(follow("toyhouse.a.Thing", ("toyhouse",)), str)
