"""The name of a result: 16 hex digits that change exactly when something that can change the result does.

Comes in: a stage's name, its code version, its own resolved plain config and the keys of its parents. Goes
out: the key that names the artefact's folder, and lines that say how two configs differ. Called by the store
and by `wmframe plan`.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from wmframe.engine.errors import UserError

SCHEMA = 1
"""Version of this scheme and of the manifest; it is hashed too, so two schemes never meet under one key."""

NOT_IN_KEY: tuple[str, ...] = (
    "**.workers",  # processes that share the work; results are tested equal for any number
    "**.threads",
    "**.device",  # where the arithmetic runs; its precision is in the key
    "**.devices",
    "**.accelerator",
    "**.log_every",  # how often a person is told
    "**.progress",
    "**.save_every",  # how often resume state is kept; a resumed stage ends with the same bits
    "**.save_seconds",
    "paths",  # where things lie: moving a project recomputes nothing
    "tracker",
)
"""All that is left out of a key, dotted: `**.name` at any depth, otherwise that exact field. A field whose
change can alter a result must not stand here; everything else that a config holds is in the key.
"""

CODE = "code"
"""The field that holds the fingerprints of the user's own files that a result is computed by, where there are any."""

_ABSENT = "(absent)"
_BARE = re.compile(r"(?!(?:null|true|false)$)[A-Za-z_][\w./-]*")


def key(stage: str, code_version: int, config: Mapping[str, Any], parents: Mapping[str, str]) -> str:
    """Return the 16 hex digits that name the result of `stage`.

    `config` is the stage's own resolved config as plain data (nested dicts with `_target_`); `parents` maps
    the name of each parent to its key. The order of mappings means nothing. Raises as `keyed`.
    """
    named = {
        "schema": SCHEMA,
        "stage": stage,
        "code_version": code_version,
        "config": keyed(config),
        "parents": dict(parents),
    }
    text = json.dumps(named, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def keyed(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of `config` goes into the key: without `NOT_IN_KEY`, tuples as lists, -0.0 as 0.0.

    Raises TypeError for a value that is not plain data, ValueError for NaN and infinity, and UserError for an
    absolute path: it would give the same experiment another key on another machine.
    """
    return _plain_mapping(config, ())


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Say how two configs differ as far as keys care, one sorted line a field: `memory.mixtures: 5 → 1`."""
    before, after = dict(_leaves(keyed(old), "")), dict(_leaves(keyed(new), ""))
    names = sorted(before.keys() | after.keys())
    pairs = [(name, before.get(name, _ABSENT), after.get(name, _ABSENT)) for name in names]
    return [f"{name}: {was} → {now}" for name, was, now in pairs if was != now]


def excluded(path: tuple[str, ...]) -> bool:
    """Tell whether the config field at `path` is left out of keys."""
    return f"**.{path[-1]}" in NOT_IN_KEY or ".".join(path) in NOT_IN_KEY


def _plain_mapping(value: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    for name in value:
        # JSON would merge 1 with "1" without a word.
        if not isinstance(name, str):
            raise TypeError(f"config: {'.'.join((*path, repr(name)))}: a name is a string")
    return {name: _plain(value[name], (*path, name)) for name in sorted(value) if not excluded((*path, name))}


def _plain(value: Any, path: tuple[str, ...]) -> Any:
    match value:
        case None | bool():
            return value
        case int():
            return int(value)
        case float():
            return _number(float(value), path)
        case str():
            return _text(str(value), path)
        case Mapping():
            return _plain_mapping(value, path)
        case list() | tuple():
            return [_plain(item, (*path, str(index))) for index, item in enumerate(value)]
        case _:
            raise TypeError(f"config: {'.'.join(path)}: {type(value).__name__} is not plain data")


def _number(value: float, path: tuple[str, ...]) -> float:
    if not math.isfinite(value):
        raise ValueError(f"config: {'.'.join(path)}: {value} is not a finite number")
    return 0.0 if value == 0 else value


def _text(value: str, path: tuple[str, ...]) -> str:
    if PurePosixPath(value).is_absolute() or PureWindowsPath(value).is_absolute():
        raise UserError(
            f"{'.'.join(path)}={value}: an absolute path would make this another result on every machine. "
            "Give a path relative to paths.root."
        )
    return value


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield (dotted name, shown value) of every leaf; a list without mappings is one leaf."""
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _leaves(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}.{index}")
    else:
        yield path, _shown(value)


def _shown(value: Any) -> str:
    # Anything that is not a plain word goes through JSON, which also escapes what could confuse a terminal.
    if isinstance(value, str) and _BARE.fullmatch(value) is not None:
        return value
    return json.dumps(value, sort_keys=True)
