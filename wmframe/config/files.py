"""Folders of YAML that a user adds, looked over before Hydra opens them.

In: a folder. Out: nothing, or UserError. Called by `compose`. A file of a few lines may unfold, alias by
alias, into more than memory holds; and a folder given by mistake (`/`) would be read for minutes.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from wmframe.errors import UserError

MOST_FILES = 2_000
MOST_BYTES = 1_000_000
MOST_NODES = 20_000
ANCHOR = re.compile(r"(?:^|[\s\[{,:-])&\S")


def check_folder(folder: Path) -> None:
    """Refuse a folder with unreadable, huge or exploding YAML files, or with far too many files."""
    for path in _files(folder):
        if path.stat().st_size > MOST_BYTES:
            raise UserError(f"{path} is too large for a config ({path.stat().st_size:,} bytes)")
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise UserError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from error
        if ANCHOR.search(text) and _nodes(text) > MOST_NODES:
            raise UserError(f"{path} unfolds into more than {MOST_NODES:,} values: too many aliases")


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
        root = yaml.compose(text, Loader=yaml.SafeLoader)
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
