"""The house stands: packages import downwards, modules in no circles, files and functions stay short."""

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
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
    {"controller"},
    {"vision", "memory", "envs", "data"},
    {"frames"},
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


def imports(path: Path, root: Path = ROOT, *, of_types: bool = True) -> Iterator[str]:
    """The dotted names that a module imports, within functions too, and `of_types` under `if TYPE_CHECKING`."""
    package = path.relative_to(root).parts[:-1]
    tree = ast.parse(path.read_text())
    unseen = {id(node) for block in ast.walk(tree) if _is_of_types(block) for node in ast.walk(block)}
    for node in ast.walk(tree):
        if not of_types and id(node) in unseen:
            continue
        if isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def _is_of_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def dotted_paths(path: Path, package: str) -> Iterator[str]:
    """The names below `package` that are whole strings, as `stage(run=…)` and `_target_` take to import them later."""
    strings = (node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant))
    for text in strings:
        if isinstance(text, str) and re.fullmatch(rf"{package}(\.\w+)+(:\w+)?", text):
            yield text.replace(":", ".")


def circle(root: Path, package: str) -> list[str]:
    """Modules of a package that need one another in a circle, the first one named again at the end; [] without one.

    A module needs what it imports, whenever it does: a circle that an import within a function puts off is still one,
    since none of its modules works without the others. A name under `if TYPE_CHECKING` is never imported: what a
    `Search` trains by may say that it is given one. A module needs its own package too, which Python imports first.
    Names that are put together while running, as `wmframe.cli.main` does with its commands', are not seen.
    """
    files = {name_of(path, root): path for path in (root / package).rglob("*.py")}
    needs: dict[str, set[str]] = {}
    for name, path in files.items():
        named = [*imports(path, root, of_types=False), *dotted_paths(path, package), name.rpartition(".")[0]]
        needs[name] = {module for module in (nearest(files, one) for one in named) if module not in {"", name}}
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as problem:
        modules: list[str] = problem.args[1]
        return modules[::-1]
    return []


def name_of(path: Path, root: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def nearest(files: dict[str, Path], name: str) -> str:
    """The module that a dotted name stands in, which may be itself; "" for what is not of the package."""
    while name and name not in files:
        name = name.rpartition(".")[0]
    return name


def test_no_modules_import_one_another_in_a_circle() -> None:
    assert not circle(ROOT, "wmframe")


@pytest.mark.parametrize(
    "line",
    [
        "from house.env import Env",
        "from house import env",
        "import house.env as other",
        "from . import env",
        "from .env import Env",
        "def make():\n    from house.env import Env",
        "made_by = stage(run='house.env:Env')",
        "_target_ = 'house.env.Env'",
    ],
)
def test_a_circle_is_found_however_the_import_is_spelt(line: str, tmp_path: Path) -> None:
    (tmp_path / "house").mkdir()
    (tmp_path / "house" / "__init__.py").touch()
    (tmp_path / "house" / "shape.py").write_text("import os\n")
    (tmp_path / "house" / "env.py").write_text("from house.camera import Camera\n")
    (tmp_path / "house" / "camera.py").write_text("from house.spec import Spec\nfrom house.shape import SIZE\n")
    (tmp_path / "house" / "spec.py").write_text('"""See house.env.Env."""\n')
    assert circle(tmp_path, "house") == []
    (tmp_path / "house" / "spec.py").write_text(f"{line}\n")
    steps = list(pairwise(circle(tmp_path, "house")))
    assert sorted(steps) == [
        ("house.camera", "house.spec"),
        ("house.env", "house.camera"),
        ("house.spec", "house.env"),
    ]


def test_what_is_imported_for_its_type_alone_makes_no_circle(tmp_path: Path) -> None:
    (tmp_path / "house").mkdir()
    (tmp_path / "house" / "__init__.py").touch()
    (tmp_path / "house" / "env.py").write_text("from house.spec import Spec\n")
    told = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house.env import Env\n"
    (tmp_path / "house" / "spec.py").write_text(told)
    assert circle(tmp_path, "house") == []
    assert "house.env.Env" in imports(tmp_path / "house" / "spec.py", tmp_path)
    (tmp_path / "house" / "spec.py").write_text(f"{told}def make():\n    from house.env import Env\n")
    assert len(circle(tmp_path, "house")) == 3


def test_a_package_that_imports_its_own_modules_is_a_circle(tmp_path: Path) -> None:
    (tmp_path / "house").mkdir()
    (tmp_path / "house" / "__init__.py").write_text("from house.spec import Spec\n")
    (tmp_path / "house" / "spec.py").touch()
    assert sorted(set(circle(tmp_path, "house"))) == ["house", "house.spec"]


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
