"""A composed config checked against the signatures of what it names, wholly, before any of it is imported.

In: plain mappings with `_target_`. Out: a `Component` tree with coerced values and defaults, or one
`ConfigError` that lists every mistake. Called by `cli.prepare` and whatever reads a saved config.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from textwrap import shorten
from typing import Any, Literal, get_args, get_origin

from pydantic import ConfigDict, TypeAdapter, ValidationError

from wmframe.engine.config.annotation import Form, Many, Maybe, Nested, Plain
from wmframe.engine.config.closure import code_of
from wmframe.engine.config.component import Component, ConfigError, Problem
from wmframe.engine.config.describe import describe, is_secret, show
from wmframe.engine.config.signature import (
    NO_DEFAULT,
    UNREADABLE,
    Parameter,
    Signature,
    TargetError,
    read_signature,
)
from wmframe.engine.config.suggest import nearest

__all__ = ["Component", "ConfigError", "Problem", "bind"]

MOST = 2**63
STRICT = ConfigDict(strict=True, allow_inf_nan=False)


def bind(
    config: Mapping[str, object],
    *,
    target: str | None = None,
    kind: str | None = None,
    path: str = "",
    allowed: Sequence[str] = ("wmframe",),
) -> Component:
    """Check a mapping against its target's signature, recursively, and fill in the defaults.

    `target` names the class of a mapping without `_target_`, `kind` the class that the target must be or come from;
    `path` is the key it stands under. Raises ConfigError with every unknown, missing, mistyped and impossible key, and
    every target out of bounds.
    """
    binder = _Binder(tuple(allowed))
    named = dict(config) if target is None else {**config, "_target_": target}
    component = binder.component(named, path, kind)
    problems = binder.finish()
    if problems or component is None:
        raise ConfigError(problems)
    return component


@dataclass
class _Binder:
    """One walk over a config: what is wrong, and every key that would have been right.

    `known` is True for keys of plain values; `unknown` holds keys, values and the signature that lacks them.
    """

    allowed: tuple[str, ...]
    problems: list[Problem] = field(default_factory=list)
    known: dict[str, bool] = field(default_factory=dict)
    unknown: list[tuple[str, object, Signature]] = field(default_factory=list)

    def finish(self) -> list[Problem]:
        """All problems, unknown keys first: they are what a person mistyped, the rest may follow from it."""
        strangers = []
        for path, value, signature in self.unknown:
            near = nearest(path, [key for key, leaf in self.known.items() if leaf or "." not in path])
            keys = ", ".join(signature.parameters) or "none"
            where = shorten(f"{signature.name} ({signature.file}) takes: {keys}", 240, placeholder=" ...")
            message = f"={'…' if is_secret(path) else show(value)}: there is no such key"
            cause = f"{path.rpartition('.')[2]}{message}"
            strangers.append(Problem(path, message, near, where, cause))
        return strangers + self.problems

    def component(self, value: object, path: str, base: str | None) -> Component | None:
        """Bind one mapping; None after noting what is wrong with it."""
        signature = self._signature(value, path, base)
        if signature is None or not isinstance(value, Mapping):
            return None
        for name in value:
            if name not in signature.parameters and name != "_target_":
                self._stranger(path, str(name), value[name], signature)
        arguments: dict[str, object] = {}
        for name, parameter in signature.parameters.items():
            self.known[_join(path, name)] = isinstance(parameter.form, Plain)
            if name in value:
                arguments[name] = self._form(value[name], _join(path, name), parameter.form, parameter, signature)
            elif parameter.default is NO_DEFAULT:
                message = f" is missing: {describe(parameter.form)}"
                self.problems.append(Problem(_join(path, name), message, (), _where(signature)))
            elif parameter.default is not UNREADABLE:
                arguments[name] = _coerce(parameter.form, parameter.default)
        try:
            return Component(signature.target, arguments, code_of(signature.target, self.allowed))
        except TargetError as error:
            self.problems.append(Problem(_join(path, "_target_"), f"={show(signature.target)}: {error}"))
            return None

    def _stranger(self, path: str, name: str, value: object, signature: Signature) -> None:
        """Note what a signature has no key for, by the keys that a person typed."""
        for inner, leaf in _leaves(name, value):
            now = signature.now_called(inner)
            if now is None:
                self.unknown.append((_join(path, inner), leaf, signature))
                continue
            key, shown = _join(path, inner), "…" if is_secret(inner) else show(leaf)
            self.problems.append(Problem(key, f"={shown}: {key} is called {_join(path, now)} now"))

    def _signature(self, value: object, path: str, base: str | None) -> Signature | None:
        """The signature that a mapping names, if it may stand here."""
        wanted = base.rpartition(".")[2] if base is not None else "component"
        target = value.get("_target_") if isinstance(value, Mapping) else None
        if not isinstance(value, Mapping) or not isinstance(target, str):
            got = "" if isinstance(value, Mapping) and target is None else f"={show(value)}:"
            message = f"{got} has no `_target_`: a {wanted} is wanted, as one of the group's files gives it"
            self.problems.append(Problem(path or "the config", message, self._meant(path, value)))
            return None
        try:
            signature = read_signature(target, allowed=self.allowed)
            if base is not None:
                self._check_kind(signature, base)
        except TargetError as error:
            self.problems.append(Problem(_join(path, "_target_"), f"={show(target)}: {error}", error.near))
            return None
        return signature

    def _meant(self, path: str, value: object) -> list[str]:
        """The key that was meant where a typo made a new item of a mapping: `parts.first.randm.size=3`."""
        typed = next(_leaves(path, value))[0] if isinstance(value, Mapping) and value else ""
        return nearest(typed, [key for key, leaf in self.known.items() if leaf]) if typed else []

    def _check_kind(self, signature: Signature, base: str) -> None:
        """Refuse a target that isn't what this key wants; foreign bases can't be looked into."""
        if signature.abstract:
            raise TargetError(f"{signature.name} is abstract, name one of its implementations")
        if base in signature.kinds:
            return
        try:
            wanted = read_signature(base, allowed=self.allowed)
        except TargetError:
            wanted = None
        if wanted is not None and not wanted.protocol:
            raise TargetError(f"{signature.name} ({signature.file}) is not a {wanted.name} ({wanted.file})")
        # Nothing says what is a protocol's, or a foreign class's. A class may be; a function is called to see.
        if signature.function:
            raise TargetError(f"{signature.name} ({signature.file}) does not say that it returns a {base}")

    def _form(self, value: object, path: str, form: Form, parameter: Parameter, signature: Signature) -> object:
        """The bound value; after a mistake, something harmless in its place."""
        match form:
            case Nested(base=base):
                return self.component(value, path, base)
            case Maybe(inner=inner):
                return None if value is None else self._form(value, path, inner, parameter, signature)
            case Many(item=item, keyed=False) if isinstance(value, list | tuple):
                return [self._form(v, _join(path, str(i)), item, parameter, signature) for i, v in enumerate(value)]
            case Many(item=item, keyed=True) if isinstance(value, Mapping):
                return {
                    str(k): self._form(v, _join(path, str(k)), item, parameter, signature) for k, v in value.items()
                }
            case Plain():
                return self._plain(value, path, form, parameter, signature)
        self._refuse(value, path, form, parameter, signature)
        return None

    def _plain(self, value: object, path: str, form: Plain, parameter: Parameter, signature: Signature) -> object:
        for key, _ in _leaves("", value) if isinstance(value, Mapping) else ():
            if is_secret(key):
                message = "=…: a config is kept with its results and shared; a secret is for an environment variable"
                self.problems.append(Problem(_join(path, key), message))
                return None
        try:
            bound = _adapter(form).validate_python(value)
            json.dumps(bound, allow_nan=False)
            if isinstance(bound, int) and abs(bound) >= MOST:
                raise ValueError("more than any count, size or seed")
            if get_origin(form.type) is Literal and (type(value), value) not in map(_typed, get_args(form.type)):
                raise ValueError("true is not 1")
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            inner = [str(step) for step in first["loc"] if _reaches(value, step)]
            shown = first["input"] if inner else value
            self._refuse(shown, ".".join([path, *inner]), form, parameter, signature)
            return None
        except (TypeError, ValueError):
            self._refuse(value, path, form, parameter, signature)
            return None
        return bound

    def _refuse(self, value: object, path: str, form: Form, parameter: Parameter, signature: Signature) -> None:
        default = parameter.default
        usual = "" if default is NO_DEFAULT or default is UNREADABLE else f" (default {show(default)})"
        quote = f"; as text: {path}='\"{value}\"'" if form == Plain(str) and _is_number(value) else ""
        message = f"={show(value)}: must be {describe(form)}{usual}{quote}"
        cause = f"{path.rpartition('.')[2]}={show(value)}"
        self.problems.append(Problem(path, message, (), _where(signature), cause))


@lru_cache(maxsize=512)
def _adapter(form: Plain) -> TypeAdapter[Any]:
    return TypeAdapter(form.type, config=STRICT)


def _coerce(form: Form, default: object) -> object:
    """A default as the annotation has it, so that 1 and 1.0 hash alike whether written or left out."""
    default = list(default) if isinstance(default, tuple) else default
    if not isinstance(form, Plain):
        return default
    try:
        return _adapter(form).validate_python(default)
    except ValidationError:
        return default


def _leaves(path: str, value: object) -> Iterator[tuple[str, object]]:
    """The keys a person typed: `vison.latent_size=16` arrives as a mapping under `vison`."""
    if not isinstance(value, Mapping) or not value or "_target_" in value:
        yield path, value
        return
    for name, inner in value.items():
        yield from _leaves(_join(path, name), inner)


def _typed(value: object) -> tuple[type, object]:
    return type(value), value


def _reaches(value: object, step: object) -> bool:
    return isinstance(step, int) or (isinstance(value, Mapping) and step in value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


def _where(signature: Signature) -> str:
    return f"declared by {signature.name} in {signature.file}"


def _join(path: str, name: object) -> str:
    return f"{path}.{name}" if path else str(name)
