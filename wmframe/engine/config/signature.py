"""A component's schema: its constructor's signature, read from the source without importing it.

In: a `_target_` and the modules that targets may come from. Out: a `Signature`, one `Parameter` for each key.
Called by `bind`. A test holds every shipped target's static signature equal to `inspect.signature`.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from wmframe.engine.config.annotation import AnnotationError, Form, Nested, Plain, read_form
from wmframe.engine.config.literal import literal
from wmframe.engine.config.source import (
    Definition,
    Source,
    follow,
    is_allowed,
    locate,
    read_source,
    resolve,
    submodules,
)
from wmframe.engine.config.suggest import nearest

NO_DEFAULT = object()
UNREADABLE = object()


class TargetError(Exception):
    """A `_target_` that leads nowhere; `near` holds what may have been meant."""

    def __init__(self, message: str, near: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.near = list(near)


@dataclass(frozen=True)
class Parameter:
    """One key: its name, what it may be, and its default (`NO_DEFAULT` when it must be given).

    `UNREADABLE` is a default that isn't a literal: the constructor fills it in, and no key or plan can see
    it.
    """

    name: str
    form: Form
    default: object = NO_DEFAULT


@dataclass(frozen=True)
class Signature:
    """The keys that a target takes, the file that declares them, and the classes that it counts as.

    `renamed` are keys of before, dotted, with what they are called now: the mapping `RENAMED` of its module.
    """

    target: str
    file: str
    parameters: Mapping[str, Parameter]
    kinds: frozenset[str]
    abstract: bool = False
    protocol: bool = False
    function: bool = False
    renamed: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The class or function's bare name."""
        return self.target.rpartition(".")[2]

    def now_called(self, key: str) -> str | None:
        """Return what a dotted key of before, or what holds it, is called now; None for one that never was."""
        parts = key.split(".")
        for length in range(len(parts), 0, -1):
            if now := self.renamed.get(".".join(parts[:length])):
                return ".".join([now, *parts[length:]])
        return None


@dataclass
class _Class:
    """What is gathered on the way up a class's bases."""

    fields: dict[str, Parameter] = field(default_factory=dict)
    init: dict[str, Parameter] | None = None
    kinds: set[str] = field(default_factory=set)
    abstract: set[str] = field(default_factory=set)
    dataclass: bool = False


def read_signature(target: str, *, allowed: Sequence[str]) -> Signature:
    """The schema of `target`; TargetError when it is outside `allowed`, missing, or nothing to call."""
    found = _find(target, allowed)
    node, source = found.node, found.source
    if isinstance(node, ast.FunctionDef):
        parameters = _function(node, source, skip=0)
        kinds = _returns(node, source)
        return Signature(target, source.label, parameters, kinds, function=True)
    if not isinstance(node, ast.ClassDef):
        raise TargetError(f"{target} is neither a class nor a function", source.names)
    gathered = _gather(node, source)
    parameters = gathered.init if gathered.init is not None else gathered.fields
    bases = {ast.unparse(b).partition("[")[0].rpartition(".")[2] for b in node.bases}
    return Signature(
        target,
        source.label,
        parameters,
        frozenset(gathered.kinds),
        abstract=bool(gathered.abstract),
        protocol="Protocol" in bases,
        renamed=_renamed(source),
    )


def _renamed(source: Source) -> Mapping[str, str]:
    try:
        found = literal(ast.Name("RENAMED"), source)
    except ValueError:
        return {}
    return {str(old): str(new) for old, new in found.items()} if isinstance(found, Mapping) else {}


def _find(target: str, allowed: Sequence[str]) -> Definition:
    module, _, name = target.rpartition(".")
    if not module or not all(part.isidentifier() for part in target.split(".")):
        raise TargetError(f"{target!r} is not of the form package.module.Class")
    if not is_allowed(module, allowed):
        raise TargetError(f"targets may come from {', '.join(allowed)} only (a module that you trust: --allow MODULE)")
    try:
        source = read_source(module, allowed)
    except (SyntaxError, UnicodeDecodeError) as error:
        raise TargetError(f"{locate(module)} is not readable Python: {error}") from error
    if source is None:
        package = module.rpartition(".")[0]
        raise TargetError(f"there is no module {module}", _near(target, package, allowed))
    found = follow(target, allowed)
    if isinstance(found, Definition):
        return found
    raise TargetError(f"{source.label} defines no {name}", _near(target, module, allowed))


def _near(target: str, package: str, allowed: Sequence[str]) -> list[str]:
    """Nearest real targets in a package and its modules, or in the one module named."""
    known: list[str] = []
    for module in [package, *submodules(package)] if package else []:
        try:
            source = read_source(module, allowed)
        except (SyntaxError, UnicodeDecodeError):
            continue
        known += [f"{module}.{name}" for name in source.names] if source is not None else []
    return nearest(target, known)


def _gather(node: ast.ClassDef, source: Source, *, depth: int = 16) -> _Class:
    """Constructor, dataclass fields, ancestors and unmet abstract methods, the bases' first."""
    result = _Class()
    for base in node.bases:
        found = resolve(source, ast.unparse(base).partition("[")[0])
        if isinstance(found, str) or not isinstance(found.node, ast.ClassDef) or depth == 0:
            result.kinds.add(found if isinstance(found, str) else found.qualified)
            continue
        above = _gather(found.node, found.source, depth=depth - 1)
        result.fields |= above.fields
        result.init = result.init if result.init is not None else above.init
        result.kinds |= above.kinds
        result.abstract |= above.abstract
    result.kinds.add(f"{source.name}.{node.name}")
    _own(node, source, result)
    return result


def _own(node: ast.ClassDef, source: Source, result: _Class) -> None:
    """Add what the class itself declares to what its bases do."""
    decorators = {_bare(d) for d in node.decorator_list}
    if "dataclass" in decorators:
        result.fields |= {p.name: p for p in _fields(node, source)}
        result.init = None
    for item in node.body:
        if isinstance(item, ast.FunctionDef):
            result.abstract.discard(item.name)
            if "abstractmethod" in {_bare(d) for d in item.decorator_list}:
                result.abstract.add(item.name)
            if item.name == "__init__":
                result.init = _function(item, source, skip=1)
        elif isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            result.abstract.discard(item.target.id)
        elif isinstance(item, ast.Assign):
            result.abstract -= {t.id for t in item.targets if isinstance(t, ast.Name)}


def _fields(node: ast.ClassDef, source: Source) -> Iterator[Parameter]:
    for item in node.body:
        if not isinstance(item, ast.AnnAssign) or not isinstance(item.target, ast.Name):
            continue
        if "ClassVar" in ast.unparse(item.annotation):
            continue
        value = item.value
        if isinstance(value, ast.Call) and _bare(value.func) == "field":
            options = {k.arg: k.value for k in value.keywords}
            init = options.get("init")
            if isinstance(init, ast.Constant) and init.value is False:
                continue
            factory = options.get("default_factory")
            empty = {"list": [], "dict": {}, "tuple": ()}.get(ast.unparse(factory) if factory else "", UNREADABLE)
            default = empty if factory is not None else _default(options.get("default"), source)
        else:
            default = _default(value, source)
        yield Parameter(item.target.id, _form(item.annotation, source, item.target.id), default)


def _function(node: ast.FunctionDef, source: Source, *, skip: int) -> dict[str, Parameter]:
    """Every parameter that can be given by keyword; `*args` and `**kwargs` add no keys."""
    spec = node.args
    padding: list[ast.expr | None] = [None] * (len(spec.args) - len(spec.defaults))
    pairs = list(zip(spec.args, [*padding, *spec.defaults], strict=True))[skip:]
    pairs += list(zip(spec.kwonlyargs, spec.kw_defaults, strict=True))
    return {
        arg.arg: Parameter(arg.arg, _form(arg.annotation, source, arg.arg), _default(default, source))
        for arg, default in pairs
    }


def _form(annotation: ast.expr | None, source: Source, name: str) -> Form:
    if annotation is None:
        return Plain(object)
    try:
        return read_form(annotation, source)
    except (AnnotationError, ValueError, TypeError) as error:
        raise TargetError(f"{source.label} annotates {name} with what no YAML can hold: {error}") from error


def _default(node: ast.expr | None, source: Source) -> object:
    """The default itself, where it is a constant expression."""
    if node is None:
        return NO_DEFAULT
    try:
        return literal(node, source)
    except (ValueError, TypeError, ArithmeticError):
        return UNREADABLE


def _returns(node: ast.FunctionDef, source: Source) -> frozenset[str]:
    if node.returns is None:
        return frozenset()
    form = _form(node.returns, source, "return")
    if not isinstance(form, Nested):
        return frozenset()
    found = follow(form.base, source.allowed)
    if isinstance(found, Definition) and isinstance(found.node, ast.ClassDef):
        return frozenset(_gather(found.node, found.source).kinds)
    return frozenset({form.base})


def _bare(node: ast.expr) -> str:
    """The last name of a decorator or callee, called or not."""
    return ast.unparse(node.func if isinstance(node, ast.Call) else node).rpartition(".")[2]
