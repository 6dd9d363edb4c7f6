"""What interrupted work goes on from, as safetensors and JSON: small, exact, no pickle, whole or absent.

A nested dict of tensors and plain values comes in, and the same comes out. One folder holds the newest state; its two
files change together because the JSON, written last, names the tensors' file and its hash, and vouches for itself and
whose it is: `owner` is the key of the result that is worked on.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from safetensors.torch import load, save
from torch import Tensor

from wmframe.engine.durability.checksummed import is_regular, read_vouched, remove, write_vouched
from wmframe.engine.durability.files import sha256, write_atomic
from wmframe.engine.errors import UserError

_INDEX: Final = "state.json"


def write_state(folder: Path, state: Mapping[str, Any], owner: str, *, step: int) -> None:
    """Write the newest state, that of `step`, replacing the one before only when it is on disk.

    Raises TypeError for a state that holds anything but tensors and plain data.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, Tensor] = {}
    tree = _pack(state, tensors)
    name = f"tensors-{step}.safetensors"
    write_atomic(folder / name, save(tensors))
    index = {"tensors": name, "sha256": sha256(folder / name), "tree": tree}
    write_vouched(folder / _INDEX, index, owner)
    for old in folder.glob("tensors-*.safetensors"):
        if old.name != name:
            old.unlink()


def read_state(folder: Path, owner: str) -> dict[str, Any]:
    """Read the state back. Raises UserError when a byte is wrong, or it is another owner's."""
    index = read_vouched(folder / _INDEX, owner)
    file = folder / Path(index["tensors"]).name  # its own folder's, wherever the index says that it lies
    if not is_regular(file) or sha256(file) != index["sha256"]:
        raise UserError(f"{file}: damaged (it is not what was saved)", exit_code=1)
    tree: dict[str, Any] = _unpack(index["tree"], load(file.read_bytes()))
    return tree


def find_state(folder: Path, owner: str, say: Callable[[str], None]) -> dict[str, Any] | None:
    """Return what there is to go on from in `folder`, every bit of it checked, or None.

    A damaged state is removed, and `say` told that the stage starts over.
    """
    if not os.path.lexists(folder) or (folder.is_dir() and not os.path.lexists(folder / _INDEX)):
        return None
    try:
        return read_state(folder, owner)
    except UserError as error:
        say(f"what it could go on from is damaged, so it starts over: {error}")
        remove(folder)
        return None


def _pack(value: Any, tensors: dict[str, Tensor]) -> Any:
    """Replace tensors by names, and mappings by pairs, since JSON has no integer keys."""
    if isinstance(value, Tensor):
        name = f"{len(tensors):05}"
        tensors[name] = value.detach().cpu().contiguous().clone()
        return {"tensor": name}
    if isinstance(value, Mapping):
        return {"mapping": [[key, _pack(item, tensors)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        return {"list" if isinstance(value, list) else "tuple": [_pack(item, tensors) for item in value]}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a checkpoint holds {type(value).__name__}, which is not plain data")


def _unpack(value: Any, tensors: dict[str, Tensor]) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, inside),) = value.items()
    if kind == "tensor":
        return tensors[inside]
    if kind == "mapping":
        return {key: _unpack(item, tensors) for key, item in inside}
    items = [_unpack(item, tensors) for item in inside]
    return items if kind == "list" else tuple(items)
