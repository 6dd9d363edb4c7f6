"""Python files read, never run: from a dotted name to the definition it stands for.

In: a module's name and the modules that may be read. Out: syntax trees and the definitions that names resolve
to. Called by `annotation` and `signature`; reading instead of importing is what keeps torch out of a
mistake's answer.
"""

import ast
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from wmframe.engine.config import user_code

Node = ast.ClassDef | ast.FunctionDef | ast.Assign | ast.AnnAssign


@dataclass(frozen=True)
class Source:
    """One module as text: its name, file, syntax tree and bytes, and the modules that may be followed from it."""

    name: str
    path: Path
    tree: ast.Module
    allowed: tuple[str, ...]
    text: bytes = b""

    @property
    def label(self) -> str:
        """The file as a person would look for it, for example `wmframe/parts/one.py`."""
        tail = "/__init__.py" if self.path.name == "__init__.py" else ".py"
        return self.name.replace(".", "/") + tail

    @property
    def names(self) -> list[str]:
        """Classes and functions defined here, public ones only."""
        kinds = (ast.ClassDef, ast.FunctionDef)
        return [n.name for n in statements(self.tree.body) if isinstance(n, kinds) and n.name[0] != "_"]


@dataclass(frozen=True)
class Definition:
    """Where a name leads: a class, a function or an assignment, and the module that holds it."""

    source: Source
    node: Node
    name: str

    @property
    def qualified(self) -> str:
        """The dotted name under the module that really defines it."""
        return f"{self.source.name}.{self.name}"


def is_allowed(target: str, allowed: Sequence[str]) -> bool:
    """Whether a dotted name lies in one of the allowed modules or below it."""
    return any(target == module or target.startswith(module + ".") for module in allowed)


def locate(module: str) -> Path | None:
    """The file of a module, found without importing anything; the working directory is looked at last."""
    parts = module.split(".")
    for root in _roots(parts[0]):
        base = root.joinpath(*parts[1:])
        for path in (base / "__init__.py", base.with_name(base.name + ".py")):
            if path.is_file():
                return path
    return None


def submodules(module: str) -> list[str]:
    """Modules directly inside a package: what a mistyped module name may have meant."""
    path = locate(module)
    if path is None or path.name != "__init__.py":
        return []
    files = [p.stem for p in path.parent.glob("*.py") if p.stem != "__init__"]
    folders = [p.parent.name for p in path.parent.glob("*/__init__.py")]
    return [f"{module}.{name}" for name in sorted(files + folders)]


def read_source(module: str, allowed: Sequence[str]) -> Source | None:
    """The module's syntax tree, or None where there is no such file; SyntaxError where it isn't Python.

    One that this process holds to be executed is what it holds, whatever its file says by now.
    """
    held = user_code.held(module)
    path = locate(module) if held is None else held.path
    if path is None:
        return None
    text = path.read_bytes() if held is None else held.text
    return Source(module, path, _parse(path, text), tuple(allowed), text)


def resolve(source: Source, name: str, *, depth: int = 16) -> Definition | str:
    """Follow a name, dotted or not, as seen in a module.

    Returns its definition, or the dotted name at which the trail leaves what may be read (`torch.nn.Module`,
    `int`).
    """
    head, _, rest = name.partition(".")
    found = _binding(source, head)
    if found is None or depth == 0:
        return name
    if not isinstance(found, str):
        return Definition(source, found, head) if not rest else name
    return follow(f"{found}.{rest}" if rest else found, source.allowed, depth=depth - 1)


def follow(qualified: str, allowed: Sequence[str], *, depth: int = 16) -> Definition | str:
    """Follow `package.module.Name` to its definition through any re-exports, as `resolve` does."""
    module, _, name = qualified.rpartition(".")
    if not module or not is_allowed(module, allowed):
        return qualified
    source = read_source(module, allowed)
    if source is None:
        return qualified
    found = resolve(source, name, depth=depth)
    return qualified if found == name else found


def statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Module-level statements, those under `if TYPE_CHECKING:` and `try:` included."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try):
            yield from statements([*node.body, *node.orelse])


def _roots(top: str) -> Iterator[Path]:
    if top == "wmframe":
        yield Path(__file__).resolve().parents[2]
        return
    for entry in [*sys.path, str(Path.cwd())]:
        yield Path(entry or ".") / top
    try:
        spec = importlib.util.find_spec(top)  # finds, never runs: a top-level name has no parent to import
    except (ImportError, ValueError):
        return
    yield from map(Path, spec.submodule_search_locations or [] if spec is not None else [])


@lru_cache(maxsize=512)
def _parse(path: Path, text: bytes) -> ast.Module:
    return ast.parse(text, filename=str(path))


def _binding(source: Source, name: str) -> Node | str | None:
    """What a bare name is bound to at module level; an import gives the dotted name it stands for."""
    for node in statements(source.tree.body):
        match node:
            case ast.ClassDef() | ast.FunctionDef() if node.name == name:
                return node
            case ast.Assign(targets=[ast.Name(id=bound)]) | ast.AnnAssign(target=ast.Name(id=bound)):
                if bound == name:
                    return node
            case ast.Import() | ast.ImportFrom():
                imported = _imported(source, node, name)
                if imported is not None:
                    return imported
    return None


def _imported(source: Source, node: ast.Import | ast.ImportFrom, name: str) -> str | None:
    for alias in node.names:
        if isinstance(node, ast.ImportFrom) and (alias.asname or alias.name) == name:
            return f"{absolute(source, node)}.{alias.name}"
        if isinstance(node, ast.Import) and (alias.asname or alias.name.partition(".")[0]) == name:
            return alias.name if alias.asname else name
    return None


def absolute(source: Source, node: ast.ImportFrom) -> str:
    """The dotted name of the module that a `from … import` names, dots of its own resolved."""
    if node.level == 0:
        return node.module or ""
    parts = source.name.split(".")
    keep = len(parts) - node.level + (1 if source.path.name == "__init__.py" else 0)
    return ".".join([*parts[:keep], *([node.module] if node.module else [])])
