"""Runs' config.yaml as flat keys, and what of it differs between runs.

In: the text of a config.yaml. Out: `{"memory.mixtures": "5"}`, every value as text. Called by the overview.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import yaml

from wmframe.engine.config.files import Loader, check_depth
from wmframe.engine.errors import UserError

Flat = Mapping[str, str]

MOST_KEYS = 2000
"""More than any experiment has, and far fewer than a few lines of YAML aliases can pretend to hold."""

_DEPTH = 20
_LONGEST = 400
_BARE = re.compile(r"[^\W\d][\w./+-]*")


def flatten(text: str) -> Flat:
    """Return the leaves of a YAML mapping by dotted key; a component's class stands under the component's own key.

    Raises UserError for what is not YAML, not a mapping, or larger or deeper than any experiment.
    """
    try:
        check_depth("config.yaml:", text, _DEPTH)
        config = Loader(text).get_single_data()
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UserError(f"config.yaml: not readable as YAML ({str(error).splitlines()[0]})", exit_code=1) from error
    if not isinstance(config, dict):
        raise UserError("config.yaml: holds no experiment", exit_code=1)
    flat = dict(islice(_leaves(config, "", 0), MOST_KEYS + 1))
    if len(flat) > MOST_KEYS:
        raise UserError(f"config.yaml: has more than {MOST_KEYS} keys", exit_code=1)
    return flat


def shared(configs: Sequence[Flat]) -> Flat:
    """Return the keys that all configs have with one and the same value."""
    if not configs:
        return {}
    common = set(configs[0].items()).intersection(*(config.items() for config in configs[1:]))
    return {key: value for key, value in configs[0].items() if (key, value) in common}


def _leaves(value: object, path: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > _DEPTH:
        raise UserError(f"config.yaml: is nested deeper than {_DEPTH} levels", exit_code=1)
    if isinstance(value, dict) and value:
        for name, item in value.items():
            below = [path, str(name)] if name != "_target_" else [path]
            yield from _leaves(item, ".".join(part for part in below if part), depth + 1)
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}.{index}", depth + 1)
    elif path:
        yield path, _shown(value)


def _shown(value: object) -> str:
    if isinstance(value, str) and _BARE.fullmatch(value) is not None:
        return value
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
