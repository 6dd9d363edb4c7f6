"""Stages: what can be computed, declared without importing what computes it.

    @stage(version=1, run="mine.fitting:run")
    def fit(*, network: Component, seed: int, data: Handle) -> Handle: ...

A declaration is a signature. Called while a recipe is traced, it returns a `Handle` of the result to be; its arguments
are the result's parents where they are handles (one, a list or a mapping of them), and otherwise what stands in its
key. `run` names the function that computes it, which takes a `StageContext` and the same arguments: the config's values
as they are, and of each parent the folder where its result lies. It is imported when there is something to compute.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any, Final, NoReturn, ParamSpec, TypeVar, cast

from wmframe.engine.config.closure import code_of
from wmframe.engine.config.user_code import Module
from wmframe.engine.errors import UserError
from wmframe.engine.graph.node import Node, Stage

Declared = ParamSpec("Declared")
Result = TypeVar("Result", bound="Handle")

_STAGE: Final = "__stage__"


class Handle:
    """A result that a recipe will have: it can be given to a stage, and nothing else can be asked of it.

    What it comes to is not known while a recipe is traced, so whatever would look at it raises TypeError. A choice by
    results is a stage of its own, which has all candidates as parents.
    """

    def __init__(self, node: Node) -> None:
        self.node: Final = node

    def __repr__(self) -> str:
        """Name it, for tracebacks."""
        return f"<{type(self).__name__} {self.node.name}>"

    def _refuse(self, *_: object) -> NoReturn:
        raise TypeError(
            f"{self!r} is a result to be: while a recipe is traced nothing is known of it. Give it to a stage, and let "
            "the stage look at it."
        )

    __bool__ = __iter__ = __len__ = __contains__ = __getitem__ = __call__ = _refuse
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __hash__ = _refuse
    __str__ = __format__ = __int__ = __float__ = __index__ = __add__ = __radd__ = _refuse


@dataclass
class _Tracing:
    """The nodes of a recipe so far, by key, and the phase that names them; `allowed` modules may hold a user's code."""

    allowed: Sequence[str]
    nodes: dict[str, Node] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    phase: str = ""

    def named(self, stage: str) -> str:
        """Return a display name that no node has yet."""
        name = f"{stage}.{self.phase}" if self.phase else stage
        number = 2
        while name in self.names:
            name = f"{stage}.{self.phase}_{number}" if self.phase else f"{stage}_{number}"
            number += 1
        self.names.add(name)
        return name


_tracing: ContextVar[_Tracing | None] = ContextVar("tracing", default=None)


def stage(
    *,
    version: int,
    run: str,
    roles: Mapping[str, str] | None = None,
    publishes: str = "",
    rebuilt: bool = False,
    amounts: Iterable[str] = (),
    added: Mapping[str, object] | None = None,
    sized_by: str = "",
    work: str = "",
    length: Sequence[str] = (),
) -> Callable[[Callable[Declared, Result]], Callable[Declared, Result]]:
    """Declare a stage under the name of the function that is decorated; the function itself is never called.

    `version` is raised when the stage's code changes what it computes. `roles` names a parent otherwise than its
    argument, where an argument of the config has that name already. `publishes` is what others may use the result as
    ("scores"), `rebuilt` whether other stages build parts of it again by the code as it is then. `amounts` are
    the config's fields on which the work grows in proportion, or that make it another kind of work, and `sized_by` is
    the role of the parent whose config says how much it is, where the stage has none of its own. `work` names the
    function ("module:function") that says of a node how much work it is (`graph/work.py`). `added` are fields of
    the config, dotted, that came after results had been published, each with the value at which it changes nothing: at
    that value it stands in no key, so that what was computed before there was such a field is found; "**.name" is a
    field wherever it stands. `length` are
    fields of the config, dotted, the first of which that is there is how many steps the stage's history will have; its
    name is theirs. (An argument at its default is not there.)
    """

    def declare(function: Callable[Declared, Result]) -> Callable[Declared, Result]:
        declared = Stage(
            name=function.__name__,
            version=version,
            run=run,
            roles=roles or {},
            publishes=publishes,
            rebuilt=rebuilt,
            amounts=frozenset(amounts),
            added=added or {},
            sized_by=sized_by,
            work=work,
            length=tuple(length),
        )
        signature = inspect.signature(function)
        result = cast("type[Result]", signature.return_annotation)

        @wraps(function)
        def call(*args: Declared.args, **kwargs: Declared.kwargs) -> Result:
            bound = signature.bind(*args, **kwargs).arguments
            return result(_traced(declared, bound, signature))

        setattr(call, _STAGE, declared)
        return call

    return declare


def declaration(function: Callable[..., Handle]) -> Stage:
    """Return what a function decorated with `stage` declares."""
    return cast("Stage", getattr(function, _STAGE))


@contextmanager
def phase(label: str) -> Iterator[None]:
    """Have the stages that are called in this block bear a label in their display names ("memory.2"). No key has it."""
    tracing = _current()
    before, tracing.phase = tracing.phase, label
    try:
        yield
    finally:
        tracing.phase = before


def existing(
    declared: Callable[..., Result], *, name: str, key: str, origin: str, code: Sequence[Module], fetch: str
) -> Result:
    """Return the handle of a result that is there already, as `declared` makes them, whoever made it.

    `origin` is what people call it, `code` the user's own modules that its parts are built by. It is none of the
    recipe's results: `fetch` names the function ("module:function") that takes its `origin` and a `Store`, and brings
    it in.
    """
    result = cast("type[Result]", inspect.signature(declared).return_annotation)
    return result(Node(name, declaration(declared), {}, {}, key, origin, tuple(code), fetch))


def trace(recipe: Callable[[], Handle], *, allowed: Sequence[str]) -> list[Node]:
    """Call a recipe and return the node of every result that it asks for, parents before children, its own last.

    Equal calls are one node. What the recipe does not return and nothing returned is made of is not computed.
    Targets and stages may come from `allowed` modules.
    """
    tracing = _Tracing(allowed)
    token = _tracing.set(tracing)
    try:
        last = recipe()
    finally:
        _tracing.reset(token)
    if not isinstance(last, Handle):
        raise TypeError(f"a recipe returns the handle of its last result, not {last!r}")
    wanted = _ancestors(last.node)
    return [node for node in tracing.nodes.values() if node.key in wanted and node is not last.node] + [last.node]


def _ancestors(node: Node) -> set[str]:
    found: dict[str, Node] = {}
    open_ends = [node]
    while open_ends:
        one = open_ends.pop()
        if one.key not in found:
            found[one.key] = one
            open_ends += one.parents.values()
    return set(found)


def allowed_modules() -> Sequence[str]:
    """Return the modules that the recipe being traced may name."""
    return _current().allowed


def _current() -> _Tracing:
    tracing = _tracing.get()
    if tracing is None:
        raise UserError("a stage was called outside of a recipe: `wmframe run` and `wmframe plan` trace recipes")
    return tracing


def _traced(declared: Stage, arguments: Mapping[str, object], signature: inspect.Signature) -> Node:
    """Return the node of a call, which is an earlier one where an equal call was made before."""
    tracing = _current()
    config: dict[str, object] = {}
    parents: dict[str, Node] = {}
    for name, value in arguments.items():
        found = _parents(declared.roles.get(name, name), value)
        if found is not None:
            parents |= found
        elif value != signature.parameters[name].default:
            config[name] = value
    node = Node("", declared, config, parents, own_code=code_of(declared.run.replace(":", "."), tracing.allowed))
    if node.key not in tracing.nodes:
        tracing.nodes[node.key] = replace(node, name=tracing.named(declared.name))
    return tracing.nodes[node.key]


def _parents(role: str, value: object) -> dict[str, Node] | None:
    """Return the parents that an argument stands for by their roles, None where it is a value."""
    items: Sequence[tuple[Any, object]]
    match value:
        case Handle():
            return {role: value.node}
        case Mapping():
            items = list(value.items())
        case list() | tuple():
            items = list(enumerate(value, 1))
        case _:
            return None
    if not items or not all(isinstance(item, Handle) for _, item in items):
        return None
    return {f"{role}.{name}": item.node for name, item in items if isinstance(item, Handle)}
