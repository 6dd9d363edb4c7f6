"""The house stands: packages import downwards, files and functions stay short, tests stand where their code does."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = [
    {"cli"},
    {"dashboard"},
    {"report"},
    {"recipes"},
    {"agents"},
    {"stages"},
    {"collect"},
    {"search"},
    {"worlds"},
    {"vision", "memory", "controller", "envs", "data"},
    {"engine"},
]
ENGINE_FLOORS = [
    {"runs"},
    {"graph"},
    {"store", "tracking", "machine"},
    {"durability", "config"},
    {"errors"},
]
MODULES = sorted(path for path in (ROOT / "wmframe").rglob("*.py"))


def floor_of(name: str, floors: list[set[str]]) -> int | None:
    return next((number for number, names in enumerate(floors) if name in names), None)


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_down(path: Path) -> None:
    check_floors(path, ROOT / "wmframe", "wmframe", FLOORS)
    if path.is_relative_to(ROOT / "wmframe" / "engine"):
        check_floors(path, ROOT / "wmframe" / "engine", "wmframe.engine", ENGINE_FLOORS)


def check_floors(path: Path, folder: Path, package: str, floors: list[set[str]]) -> None:
    here = path.relative_to(folder).parts[0].removesuffix(".py")
    mine = floor_of(here, floors)
    if mine is None:
        return
    for module in imports(path):
        there = module.removeprefix(f"{package}.").split(".")[0]
        if module.startswith(f"{package}.") and there != here and not there.startswith("__"):
            theirs = floor_of(there, floors)
            assert theirs is not None, f"{module} stands on no floor"
            assert theirs > mine, f"{here} imports {module}, which is not below it"


def test_every_package_stands_on_a_floor() -> None:
    for folder, floors in ((ROOT / "wmframe", FLOORS), (ROOT / "wmframe" / "engine", ENGINE_FLOORS)):
        packages = {path.parent.name for path in folder.glob("*/__init__.py")}
        assert packages <= set().union(*floors)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_short(path: Path) -> None:
    source = path.read_text()
    assert source.count("\n") <= 300
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < 60, f"{node.name} is longer than a screen"


def test_nothing_opens_a_pickle() -> None:
    forbidden = ("import pickle", "torch.load(", "yaml.load(", "allow_pickle=True", "shell=True")
    for path in MODULES:
        text = path.read_text()
        assert not [word for word in forbidden if word in text], path
