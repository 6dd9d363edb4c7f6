"""Bound components made real: the only place where a config's target is imported.

In: a `Component`. Out: the object. Called by stages, when they need the part and not before.
"""

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

from wmframe.engine.config.component import Component, ConfigError, Problem
from wmframe.engine.config.describe import show
from wmframe.engine.config.source import is_allowed
from wmframe.engine.config.user_code import hold
from wmframe.engine.errors import UserError


def build(component: Component, *, allowed: Sequence[str] = ("wmframe",), path: str = "") -> object:
    """Import and construct a component, its arguments' components first.

    Raises ConfigError when a target is outside `allowed` or a constructor refuses its values (ValueError),
    and UserError when a package that the target needs isn't installed, or its own code is no longer what was bound.
    `path` is the key the component stands under.
    """
    arguments = {
        name: _argument(value, f"{path}.{name}" if path else name, allowed)
        for name, value in component.arguments.items()
    }
    hold(component.code)
    make = import_target(component.target, path, allowed)
    try:
        return make(**arguments)
    except ValueError as error:
        message = f": {error or type(error).__name__}"
        raise ConfigError([Problem(path or component.target, message, (), f"refused by {component.target}")]) from error


def _argument(value: object, path: str, allowed: Sequence[str]) -> object:
    match value:
        case Component():
            return build(value, allowed=allowed, path=path)
        case Mapping():
            return {key: _argument(item, f"{path}.{key}", allowed) for key, item in value.items()}
        case list():
            return [_argument(item, f"{path}.{index}", allowed) for index, item in enumerate(value)]
        case _:
            return value


def import_target(target: str, path: str, allowed: Sequence[str]) -> Callable[..., object]:
    """The class or function itself; what it calls itself must be as allowed as what it was asked for as."""
    module, _, name = target.rpartition(".")
    key = f"{path}._target_" if path else "_target_"
    if not is_allowed(module, allowed):
        raise ConfigError([Problem(key, f"={show(target)}: outside {', '.join(allowed)}")])
    if not is_allowed(module, ("wmframe",)) and str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))  # where `bind` found it: last, so that it can shadow nothing
    try:
        found = getattr(importlib.import_module(module), name, None)
    except ModuleNotFoundError as error:
        missing = error.name or module
        if is_allowed(missing, ("wmframe",)):
            raise  # our own module: a bug, whose traceback is wanted
        raise UserError(f"{key}={target} needs the package {missing}, which isn't installed", exit_code=1) from error
    home = getattr(found, "__module__", "")
    if not callable(found) or not is_allowed(str(home), allowed):
        raise ConfigError([Problem(key, f"={show(target)}: no class or function of {', '.join(allowed)}")])
    return cast("Callable[..., object]", found)
