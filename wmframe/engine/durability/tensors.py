"""Tensors from a file that anybody may have written: held to what is expected of them before they are read.

In: a safetensors file, and the shapes and types that its reader wants. Out: exactly those tensors, or a UserError that
says what differs. Called by whatever loads weights. The header alone is read first, and no more of it than such tensors
can need: a header may claim any number of entries, of any size.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import load_file
from torch import Tensor

from wmframe.engine.errors import UserError

_TYPES: Final = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
_SLACK, _ENTRY = 4096, 512
"""Bytes that a header may have: some, and some more for every tensor that is wanted."""


@dataclass(frozen=True)
class Layout:
    """One tensor's type and shape; None stands for a length that its file chooses."""

    dtype: torch.dtype
    shape: tuple[int | None, ...]

    def fits(self, other: "Layout") -> bool:
        """Tell whether a tensor of the file, `other`, is one of this layout."""
        if self.dtype != other.dtype or len(self.shape) != len(other.shape):
            return False
        return all(wanted in (None, given) for wanted, given in zip(self.shape, other.shape, strict=True))

    def __str__(self) -> str:
        sizes = ", ".join("any" if size is None else str(size) for size in self.shape)
        return f"{str(self.dtype).removeprefix('torch.')} ({sizes})"


def layouts(tensors: Mapping[str, Tensor]) -> dict[str, Layout]:
    """Return what tensors like these would have to be."""
    return {name: Layout(tensor.dtype, tuple(tensor.shape)) for name, tensor in tensors.items()}


def read_tensors(path: Path, wanted: Mapping[str, Layout]) -> dict[str, Tensor]:
    """Return the wanted tensors, which must be all that the file holds. Raises UserError where they are not."""
    check_tensors(path, wanted)
    return load_file(path)


def check_tensors(path: Path, wanted: Mapping[str, Layout]) -> None:
    """Raise UserError unless the file holds the wanted tensors and nothing else; reads its header alone."""
    found = _layouts_of(path, most=_SLACK + _ENTRY * len(wanted))
    wrong = [name for name in {*found, *wanted} if not _fits(found.get(name), wanted.get(name))]
    if wrong:
        name = min(wrong)
        raise UserError(
            f"{path} does not fit its config in {len(wrong)} tensors, the first {name}: "
            f"{found.get(name)} in the file, {wanted.get(name)} by the config",
            exit_code=1,
        )


def _fits(found: Layout | None, wanted: Layout | None) -> bool:
    return found is not None and wanted is not None and wanted.fits(found)


def _layouts_of(path: Path, most: int) -> dict[str, Layout]:
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > most:
                raise ValueError(f"a header of {length:,} bytes, where {most:,} are enough")
            header = json.loads(file.read(length), object_pairs_hook=_once)
        header.pop("__metadata__", None)
        return _parsed(header, path.stat().st_size - 8 - length)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UserError(f"{path} is no safetensors file that fits: {error}", exit_code=1) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(pairs)) != len(pairs):
        raise ValueError("a name stands twice in its header")
    return found


def _parsed(header: Mapping[str, Any], size: int) -> dict[str, Layout]:
    """Return the layouts of a header whose tensors fill `size` bytes, one after the other."""
    found: dict[str, Layout] = {}
    end = 0
    for name, facts in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        shape = tuple(facts["shape"])
        if facts["dtype"] not in _TYPES or not all(type(length) is int and length >= 0 for length in shape):
            raise ValueError(f"{name} is of type {facts['dtype']!r} and shape {shape}")
        found[name] = Layout(_TYPES[facts["dtype"]], shape)
        begin, end = end, end + math.prod(shape) * found[name].dtype.itemsize
        if facts["data_offsets"] != [begin, end]:
            raise ValueError(f"{name} of shape {shape} lies at {facts['data_offsets']}, not at {[begin, end]}")
    if end != size:
        raise ValueError(f"its tensors take {end:,} bytes, and it has {size:,}")
    return found
