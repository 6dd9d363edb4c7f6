"""What a result says, as facts that outlive a move: one name and one plain value each.

Of arrays and weights a fact is their type, shape and a digest of their bytes; of JSON it is every value in full, lists
and columns whole. How files are packed (compression, the order of a header) is no fact, nor is what a manifest or a
component's config says: the first has times in it, and the second stands in keys (`test_graphs`).
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file

_NOT_FACTS: Final = {"manifest.json", "component.json"}


def facts(folder: Path) -> dict[str, Any]:
    """Return all facts of a result, by the file's name and, after a colon, the name inside it.

    Raises ValueError for a kind of file that it knows nothing of: a result's every number is to be compared.
    """
    found: dict[str, Any] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in _NOT_FACTS):
        name = path.relative_to(folder).as_posix()
        found |= {f"{name}:{inner}" if inner else name: value for inner, value in _facts(path)}
    return found


def _facts(path: Path) -> Iterator[tuple[str, Any]]:
    match path.suffix:
        case ".safetensors":
            yield from ((name, _told(tensor)) for name, tensor in load_file(path).items())
        case ".npy":
            yield "", _told(np.load(path))
        case ".h5":
            yield from _episodes(path)
        case ".json":
            yield from _leaves(json.loads(path.read_text()))
        case ".jsonl":
            yield from _columns([json.loads(line) for line in path.read_text().splitlines()])
        case _:
            raise ValueError(f"{path}: what is to be compared of a {path.suffix} file?")


def _told(array: npt.NDArray[Any]) -> str:
    digest = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]
    return f"{array.dtype} {'×'.join(map(str, array.shape))} {digest}"


def _episodes(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield the arrays and attributes of all episodes of a file, each kind together."""
    with h5py.File(path) as file:
        groups = [file[name] for name in sorted(file)]
        for name in sorted({name for group in groups for name in group}):
            yield name, _told(np.concatenate([group[name][()] for group in groups]))
        for name in sorted({name for group in groups for name in group.attrs}):
            yield from _columns([json.loads(group.attrs[name]) for group in groups], f"{name}.")


def _columns(rows: list[dict[str, Any]], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the values of each field over all rows; null where a row has none."""
    for name in sorted({name for row in rows for name in row}):
        yield f"{prefix}{name}", [row.get(name) for row in rows]


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}.{index}")
    else:
        yield path, value
