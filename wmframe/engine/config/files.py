"""YAML that somebody else wrote, looked over before it is believed.

In: a folder that a user adds, before Hydra opens it, or one file, such as a run's config.yaml. Out: nothing or a plain
mapping, or UserError. Called by `compose` and by whatever reads a saved config. A file of a few lines may unfold, alias
by alias, into more than memory holds, or nest deeper than a parser's stack; and a folder given by mistake (`/`) would
be read for minutes.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import shorten
from typing import Any

import yaml

from wmframe.engine.errors import UserError

MOST_FILES = 2_000
MOST_BYTES = 1_000_000
MOST_NODES = 20_000
MOST_LEVELS = 40
ANCHOR = re.compile(r"(?:^|[\s\[{,:-])&\S")
RESOLVER = re.compile(r"\$\{[^}]*:")
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Plain data alone, no Python objects; ten times as fast where PyYAML was built with libyaml."""


def check_folder(folder: Path) -> None:
    """Refuse a folder with unreadable, huge or exploding YAML files, with far too many files, or with a defaults list
    that asks for a resolver.
    """
    for path in _files(folder):
        try:
            text = _text(path)
        except OSError as error:
            raise UserError(f"{path}: cannot be read ({error.strerror})") from error
        _check_shape(path, text)
        if ANCHOR.search(text) and _nodes(text) > MOST_NODES:
            raise UserError(f"{path} unfolds into more than {MOST_NODES:,} values: too many aliases")
        if "defaults" in text and RESOLVER.search(text):
            _check_defaults(path, text)


def read_mapping(path: Path) -> dict[Any, Any]:
    """Return the mapping that a YAML file holds.

    Raises UserError, naming the file, where it is missing, a link to something else, huge, nested too deeply, unfolds
    into too much, or is no mapping of plain data.
    """
    try:
        text = _text(path)
        check_depth(str(path), text, MOST_LEVELS)
        if _nodes(text) > MOST_NODES:
            raise UserError(f"{path} unfolds into more than {MOST_NODES:,} values: too many aliases")
        plain = Loader(text).get_single_data()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})", exit_code=1) from error
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        # yaml's own constructors raise bare ValueErrors, for a month 13 for example
        raise UserError(f"{path}: not readable as YAML ({shorten(str(error), 160)})", exit_code=1) from error
    if not isinstance(plain, dict):
        raise UserError(f"{path} is not a mapping", exit_code=1)
    return plain


def _text(path: Path) -> str:
    if (size := path.stat().st_size) > MOST_BYTES:
        raise UserError(f"{path} is too large for a config ({size:,} bytes)")
    if not path.is_file():
        raise UserError(f"{path} is not a file")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from error


def _check_shape(path: Path, text: str) -> None:
    """Refuse what Hydra would refuse without the file's name."""
    if "\0" in text:
        raise UserError(f"{path} is no text: it holds a null byte")
    try:
        check_depth(str(path), text, MOST_LEVELS)
        first = next((event for event in yaml.parse(text, Loader=Loader) if isinstance(event, yaml.NodeEvent)), None)
    except yaml.YAMLError:
        return  # Hydra meets syntax errors
    if isinstance(first, yaml.ScalarEvent) and first.value:
        raise UserError(f"{path} holds one value, where keys and values are wanted")


def check_depth(where: str, text: str, most: int) -> None:
    """Refuse YAML that would lead libyaml, which recurses, to the end of its stack; `where` begins the message."""
    depth = 0
    for event in yaml.parse(text, Loader=Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > most:
            raise UserError(f"{where} is nested deeper than {most} levels")


def _check_defaults(path: Path, text: str) -> None:
    """Hydra resolves a defaults list by itself, and would tell a file's name made of a secret."""
    try:
        plain = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        return  # Hydra meets syntax errors
    if isinstance(plain, dict) and RESOLVER.search(str(plain.get("defaults", ""))):
        raise UserError(f"{path}: its defaults list asks for a resolver; only ${{some.key}} is read here")


def _files(folder: Path) -> Iterator[Path]:
    seen = 0
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        seen += len(files) + len(folders)
        if seen > MOST_FILES:
            raise UserError(f"{folder} holds too many files to be a folder of configs (--config-dir)")
        yield from (Path(parent, name) for name in files if name.endswith((".yaml", ".yml")))


def _nodes(text: str) -> int:
    """How many values a document has once its aliases are written out; Hydra meets syntax errors."""
    try:
        root = yaml.compose(text, Loader=Loader)
        return _size(root) if root is not None else 0
    except (yaml.YAMLError, RecursionError):
        return 0


def _size(root: yaml.Node) -> int:
    sizes: dict[int, int] = {}

    def size(node: yaml.Node) -> int:
        if id(node) not in sizes:
            sizes[id(node)] = MOST_NODES + 1  # an alias to a parent of itself never ends
            inside = node.value if not isinstance(node, yaml.ScalarNode) else []
            children = [c for item in inside for c in (item if isinstance(item, tuple) else (item,))]
            sizes[id(node)] = 1 + sum(size(child) for child in children)
        return sizes[id(node)]

    return size(root)
