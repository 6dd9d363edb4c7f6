"""Arguments of the commands that take a RUN: names, and key=value pairs of a known few. Called by those commands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wmframe.cli.overrides import parse
from wmframe.engine.config.suggest import did_you_mean, nearest
from wmframe.engine.errors import UserError


@dataclass(frozen=True)
class Given:
    """What was typed: bare names, a value for every key (its default where none was given), allowed modules."""

    names: tuple[str, ...]
    values: Mapping[str, str]
    allowed: tuple[str, ...] = ("wmframe",)

    def whole(self, key: str, *, least: int = 0) -> int:
        """Return a value as a whole number of at least `least`."""
        value = self.values[key]
        if not value.isdecimal() or int(value) < least:
            raise UserError(f"{key}={value}: use a whole number of at least {least}")
        return int(value)

    def choice(self, key: str, options: Sequence[str]) -> str:
        """Return a value that is one of a few words."""
        value = self.values[key]
        if value not in options:
            raise UserError(f"{key}={value}: use one of {', '.join(options)}.{did_you_mean(nearest(value, options))}")
        return value


def parse_values(arguments: Sequence[str], defaults: Mapping[str, str], *, most_names: int, usage: str) -> Given:
    """Sort arguments into names and values; `--allow MODULE` may be repeated. Anything else is a UserError."""
    told = parse(arguments, ("--allow", "--help"))
    names, values = [], dict(defaults)
    for argument in told.overrides:
        key, equals, value = argument.partition("=")
        if not equals:
            names.append(argument)
        elif key in defaults:
            values[key] = value
        else:
            raise UserError(
                f"{key}=: no such key.{did_you_mean(nearest(key, list(defaults)))} Keys: {', '.join(defaults)}"
            )
    if len(names) > most_names:
        raise UserError(f"{names[most_names]}: one name too many\n{usage.rstrip()}")
    return Given(tuple(names), values, told.allowed)
