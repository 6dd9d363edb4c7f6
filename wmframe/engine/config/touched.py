"""Which keys an override decides: what a sweep may not decide twice, and what a job's words came to.

In: overrides, and a composed config. Out: a UserError for a key that is both swept and set, or a job's overrides with
the values that its config really holds. Called by `compose`, by `cli.prepare` and by the sweeps' tables.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Override, ValueType

from wmframe.engine.config.explain import FOREIGN
from wmframe.engine.errors import UserError

_ABSENT = object()
_FILE = "/"
"""Ends the name of a group whose file is chosen: that is no value, and values are set in it."""

IsGroup = Callable[[str], bool]


def check_swept(parsed: Sequence[Override], is_group: IsGroup, varied: Sequence[Override] = ()) -> None:
    """Raise UserError for a key that one override sweeps over and another sets or sweeps over too.

    One of the two would not count, and jobs that are one and the same would look like several. `varied` are overrides
    that an ablation's rows bring: they count as swept over, and all of them stand for one.
    """
    keys = [_touched(override, is_group) for override in parsed]
    for place, override in enumerate(parsed):
        for other in (other for other in range(len(parsed)) if other != place and override.is_sweep_override()):
            if key := _common(keys[place], keys[other]):
                raise UserError(_twice(override, parsed[other], key))
    for row in varied:
        for override, touched in zip(parsed, keys, strict=True):
            if key := _common(touched, _touched(row, is_group)):
                raise UserError(
                    f"{override.input_line}: the rows of the ablation vary {key} ({row.input_line}), and one of the "
                    f"two would not count. Leave {override.input_line} out, or write the sweep by hand."
                )


def as_composed(overrides: Sequence[str], config: Mapping[str, object]) -> list[str]:
    """Return a job's overrides as `key=value`, each key once, with the value that its composed config holds.

    A dictionary's keys stand one by one. What is no value of the config stays as it was typed: a choice of a file, a
    deletion, and everything where `config` is empty because it cannot be read.
    """
    return list(dict.fromkeys(word for text in overrides for word in _words(text, config)))


def _words(text: str, config: Mapping[str, object]) -> Iterator[str]:
    override = _read(text)
    if override is None or override.is_delete() or override.is_sweep_override():
        yield text
        return
    typed = text.lstrip("+")
    leaves = dict(_leaves(override.key_or_group, override.value()))
    if not leaves:
        yield typed
    for key, value in leaves.items():
        held = _held(config, key)
        told = typed if key == override.key_or_group else f"{key}={_text(value)}"
        yield told if held is _ABSENT or isinstance(held, Mapping) or held == value else f"{key}={_text(held)}"


@lru_cache(4096)
def _read(text: str) -> Override | None:
    """Return an override as Hydra reads it, None for what it cannot read: a record may hold any text."""
    try:
        [override] = OverridesParser.create().parse_overrides([text])
    except FOREIGN:
        return None
    return override


def _held(config: Mapping[str, object], key: str) -> object:
    value: object = config
    for name in key.split("."):
        value = value.get(name, _ABSENT) if isinstance(value, Mapping) else _ABSENT
    return value


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _touched(override: Override, is_group: IsGroup) -> set[str]:
    """Return the dotted keys that an override decides, in all of its jobs together."""
    key = override.key_or_group
    value = override.value()
    values = map(Override._convert_value, value.list) if isinstance(value, ChoiceSweep) else [value]
    keys = {leaf for one in values for leaf, _ in _leaves(key, one)}
    return {f"{name}{_FILE}" if name == key and is_group(key) else name for name in keys}


def _leaves(key: str, value: object) -> Iterator[tuple[str, object]]:
    """Yield what an override sets by dotted key: it merges a dictionary into what is there."""
    if not isinstance(value, dict):
        yield key, value
        return
    for name, inner in value.items():
        yield from _leaves(f"{key}.{name}", inner)


def _common(ours: set[str], theirs: set[str]) -> str:
    """Return a key that both decide, the shortest, or "" if there is none."""
    both = {
        min(one, other, key=len)
        for one in ours
        for other in theirs
        if one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")
    }
    return min(both, default="").removesuffix(_FILE)


def _twice(swept: Override, other: Override, key: str) -> str:
    said = f"{swept.input_line}: {other.input_line}"
    if not other.is_sweep_override():
        return (
            f"{said} sets {key} too, and one of the two would not count. To sweep over {key} leave out "
            f"{other.input_line}; for one value in all jobs type {key}=VALUE and nothing else about it."
        )
    simple = [o.get_value_string() for o in (swept, other) if o.value_type is ValueType.SIMPLE_CHOICE_SWEEP]
    values = ",".join(simple) if len(simple) == 2 and key == swept.key_or_group == other.key_or_group else "A,B,C"
    return (
        f"{said} sweeps over {key} too, and one of the two would not count. Type all its values at once: {key}={values}"
    )
