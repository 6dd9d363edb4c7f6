"""What binding hands on: a target with its checked arguments, and the error that lists everything wrong.

`Component` travels to the pipeline (for hashing and saving) and to `build`. `ConfigError` travels to the
terminal.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from wmframe.engine.config.suggest import did_you_mean
from wmframe.engine.config.user_code import Module
from wmframe.engine.errors import UserError

MOST_LINES = 10


@dataclass(frozen=True)
class Component:
    """A target and its arguments, defaults included: plain values, Components, lists and mappings of both.

    `code` is what a target of the user's own is computed by, as it was when this was bound.
    """

    target: str
    arguments: Mapping[str, object]
    code: tuple[Module, ...] = field(default=(), compare=False, repr=False)

    def part(self, name: str) -> "Component":
        """Return the argument `name`, which must be a component itself; raises TypeError where it is not."""
        value = self.arguments[name]
        if not isinstance(value, Component):
            raise TypeError(f"{name} is {value!r}, not a component")
        return value

    def with_arguments(self, **changed: object) -> "Component":
        """Return the same component with these arguments in place of what it had, or beside it."""
        return replace(self, arguments={**self.arguments, **changed})

    def plain(self) -> dict[str, object]:
        """The same as JSON would hold it: `_target_` beside the arguments, tuples as lists."""
        return {"_target_": self.target, **{name: _plain(value) for name, value in self.arguments.items()}}


@dataclass(frozen=True)
class Problem:
    """One thing wrong: the key, what is the matter, what was meant, and where the key is declared.

    Problems of one `cause` are told as one: `${vision.latent_size}` carries a wrong value to many keys.
    """

    path: str
    message: str
    near: Sequence[str] = ()
    where: str = ""
    cause: str = ""

    def lines(self, also: Sequence[str] = ()) -> list[str]:
        """One or two lines; `also` are the other keys with the same trouble (interpolations of the first)."""
        same = f" (so has {also[0]}{f' and {len(also) - 1} more' if len(also) > 1 else ''})" if also else ""
        first = f"{self.path}{self.message}{same}{'.' if self.near else ''}{did_you_mean(list(self.near))}"
        return [first, f"    {self.where}"] if self.where else [first]


class ConfigError(UserError):
    """Everything wrong with a config, at most ten lines of it; `problems` has all."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(_render(self.problems)))


def modules_in(value: object) -> dict[str, Module]:
    """Return the user's own modules, by name, that the components in a value are computed by."""
    match value:
        case Component():
            return {module.name: module for module in value.code} | modules_in(value.arguments)
        case Mapping():
            return modules_in(list(value.values()))
        case list() | tuple():
            return {name: module for item in value for name, module in modules_in(item).items()}
        case _:
            return {}


def targets_in(plain: object) -> Iterator[str]:
    """Yield every `_target_` in plain data, however deep it stands."""
    match plain:
        case Mapping():
            for name, value in plain.items():
                yield from [value] if name == "_target_" and isinstance(value, str) else targets_in(value)
        case list():
            for item in plain:
                yield from targets_in(item)


def _render(problems: Sequence[Problem]) -> list[str]:
    """Problems of one cause together, the key nearest the top first: that is where the value was typed."""
    groups: dict[str, list[Problem]] = {}
    for problem in sorted(problems, key=lambda p: p.path.count(".")):
        groups.setdefault(problem.cause or problem.path, []).append(problem)
    lines: list[str] = []
    for count, (first, *rest) in enumerate(groups.values()):
        block = first.lines([p.path for p in rest])
        if len(lines) + len(block) > MOST_LINES - 2:
            return [*lines, f"… and {len(groups) - count} more"]
        lines += block
    return lines


def _plain(value: object) -> object:
    match value:
        case Component():
            return value.plain()
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return value
