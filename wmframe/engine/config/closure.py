"""What a user's part is computed by: its module, and what that imports from allowed modules, read and never run.

In: a target. Out: every module with a fingerprint of its code. Called by `bind`; what comes out stands in keys, and is
what `build` has executed.

A fingerprint is of the syntax tree: comments and layout can change no result, and docstrings are not code either
(`python -OO` leaves them out). Of the tree only what all supported Pythons agree on is hashed, so that another Python
finds the same results. Not seen: imports of computed names, compiled extensions, and files that a module reads. For
them, and for edits that change no result, a module can state `RESULTS_VERSION`, which then stands for its code.
"""

import ast
import hashlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from wmframe.engine.config.signature import TargetError
from wmframe.engine.config.source import Source, absolute, is_allowed, read_source, submodules
from wmframe.engine.config.user_code import Module

VERSION: Final = "RESULTS_VERSION"

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def code_of(target: str, allowed: Sequence[str]) -> tuple[Module, ...]:
    """Return the modules that a target is made of, by name; none for what wmframe ships.

    Raises TargetError for a module that cannot be read.
    """
    found: dict[str, Module] = {}
    todo = list(_modules(target, allowed))
    while todo:
        name = todo.pop()
        source = None if name in found else _read(name, allowed, target)
        if source is not None:
            found[name] = Module(
                name=name, path=source.path.absolute(), text=source.text, fingerprint=_fingerprint(source)
            )
            todo += [module for imported in _imported(source) for module in _modules(imported, allowed)]
    return tuple(found[name] for name in sorted(found))


def _modules(dotted: str, allowed: Sequence[str]) -> Iterator[str]:
    """Yield what may be a module in a dotted name: Python executes the packages above a module as well."""
    parts = dotted.split(".")
    names = (".".join(parts[:length]) for length in range(1, len(parts) + 1))
    return (name for name in names if is_allowed(name, allowed) and not is_allowed(name, ("wmframe",)))


def _read(name: str, allowed: Sequence[str], target: str) -> Source | None:
    try:
        return read_source(name, allowed)
    except (SyntaxError, ValueError) as error:  # ValueError: a null byte, or no UTF-8
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise TargetError(f"{target} imports {name}, which is no Python{line}: {error}") from error


def _imported(source: Source) -> Iterator[str]:
    """Yield the dotted names that a module may import, those of attributes among them."""
    todo: list[ast.AST] = [source.tree]
    while todo:
        node = todo.pop()
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
                todo += node.orelse  # the rest is for type checkers, and never executed
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom():
                module = absolute(source, node)
                for alias in node.names:
                    yield from submodules(module) if alias.name == "*" else [f"{module}.{alias.name}"]
                yield module
            case _:
                todo += ast.iter_child_nodes(node)


def _fingerprint(source: Source) -> str:
    version = _version(source)
    return _hash(source.tree) if version is None else f"{VERSION} {version}"


def _version(source: Source) -> int | None:
    """Return the version that a module states for its results, None if it states none."""
    for node in source.tree.body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=value)
            ) if name == VERSION:
                if isinstance(value, ast.Constant) and type(value.value) is int:
                    return value.value
                raise TargetError(
                    f"{source.label}: {VERSION} must be a whole number written out, as in {VERSION} = 3: it is read, "
                    "not computed"
                )
    return None


@lru_cache(maxsize=512)
def _hash(tree: ast.Module) -> str:
    return hashlib.sha256("\n".join(_words(tree)).encode()).hexdigest()[:16]


def _words(tree: ast.Module) -> Iterator[str]:
    """Yield a syntax tree word by word, but for what Pythons differ in: fields that say nothing, and empty text."""
    todo: list[object] = [tree]
    while todo:
        item = todo.pop()
        match item:
            case _Word():
                yield item
            case ast.AST():
                yield f"({type(item).__name__}"
                todo.append(_Word(")"))
                for name in reversed(item._fields):
                    value = _said(item, name)
                    if value is not None and value != []:
                        todo += [value, _Word(name)]
            case list():
                yield "["
                todo += [_Word("]"), *reversed(item)]
            case int():
                yield f"{type(item).__name__} {item:x}"  # in decimal, Python refuses a number that is long enough
            case _:
                yield f"{type(item).__name__} {item!a}"


class _Word(str):
    """A word that stands for itself, where text would be a value of the tree."""

    __slots__ = ()


def _said(node: ast.AST, name: str) -> object:
    """Return what a field says of what its node does, None for nothing."""
    value = getattr(node, name, None)
    if name in {"ctx", "kind", "type_comment", "type_ignores"}:
        return None
    if isinstance(node, ast.Constant):
        return _Word(ascii(value)) if value is None else value
    if name == "body" and isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
        return node.body[1:]
    if isinstance(node, ast.JoinedStr):
        return [part for part in node.values if not (isinstance(part, ast.Constant) and part.value == "")]
    if isinstance(value, ast.JoinedStr) and not _said(value, "values"):
        return None
    return value
