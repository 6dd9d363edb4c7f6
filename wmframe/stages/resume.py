"""Lightning's checkpoint as safetensors and JSON: small, exact, no pickle, whole or absent.

Lightning hands over a nested dict of tensors and plain values and gets the same back. Used by `fit` through the
CheckpointIO seam that Lightning offers for it. One folder holds the newest state; its two files change together
because the JSON, written last, names the tensors' file and its hash.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins.io import CheckpointIO
from safetensors.torch import load, save
from torch import Tensor

from wmframe.errors import UserError
from wmframe.files import read_json, sha256, write_atomic, write_json

_INDEX = "state.json"


class PlainCheckpoints(CheckpointIO):
    """Writes a checkpoint into a folder, replacing the one before only when the new one is on disk."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write the newest state into the folder `path`."""
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        tensors: dict[str, Tensor] = {}
        tree = _pack(checkpoint, tensors)
        name = f"tensors-{checkpoint['global_step']}.safetensors"
        write_atomic(folder / name, save(tensors))
        write_json(folder / _INDEX, {"tensors": name, "sha256": sha256(folder / name), "tree": tree})
        for old in folder.glob("tensors-*.safetensors"):
            if old.name != name:
                old.unlink()

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        """Read the state back. Raises UserError when a byte is wrong."""
        folder = Path(path)
        index = read_json(folder / _INDEX)
        file = folder / Path(index["tensors"]).name  # its own folder's, wherever the index says that it lies
        if not file.is_file() or sha256(file) != index["sha256"]:
            raise UserError(f"{file} is damaged; delete {folder} to start this stage over", exit_code=1)
        tree: dict[str, Any] = _unpack(index["tree"], load(file.read_bytes()))
        return tree

    def remove_checkpoint(self, path: Any) -> None:
        """Refuse: the folder is the stage's to delete, with its work."""
        raise NotImplementedError(f"{path} belongs to the stage")


def saved_step(folder: Path) -> int | None:
    """Return the step at which the newest state was saved, or None if there is none."""
    if not (folder / _INDEX).is_file():
        return None
    step: int = _unpack(read_json(folder / _INDEX)["tree"], {}, missing=True)["global_step"]
    return step


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


def _unpack(value: Any, tensors: dict[str, Tensor], *, missing: bool = False) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, inside),) = value.items()
    if kind == "tensor":
        return torch.empty(0) if missing else tensors[inside]
    if kind == "mapping":
        return {key: _unpack(item, tensors, missing=missing) for key, item in inside}
    items = [_unpack(item, tensors, missing=missing) for item in inside]
    return items if kind == "list" else tuple(items)
