"""Lightning's checkpoint as safetensors and JSON: small, exact, no pickle, whole or absent.

Lightning hands over a nested dict of tensors and plain values and gets the same back. Used by `fit` through the
CheckpointIO seam that Lightning offers for it. One folder holds the newest state; its two files change together
because the JSON, written last, names the tensors' file and its hash, and vouches for itself and whose it is.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytorch_lightning.plugins.io import CheckpointIO
from safetensors.torch import load, save
from torch import Tensor

from wmframe.engine.durability.checksummed import is_regular, read_vouched, remove, write_vouched
from wmframe.engine.durability.files import sha256, write_atomic
from wmframe.engine.errors import UserError

_INDEX = "state.json"


@dataclass(frozen=True)
class Saved:
    """The step at which a state was saved, and what callbacks had to say, by their names."""

    step: int
    callbacks: Mapping[str, Any]


class PlainCheckpoints(CheckpointIO):
    """Writes a checkpoint into a folder, replacing the one before only when the new one is on disk.

    `owner` is the key of the result that is worked on: the state of another is not taken for its own.
    """

    def __init__(self, owner: str) -> None:
        self._owner = owner

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write the newest state into the folder `path`."""
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        tensors: dict[str, Tensor] = {}
        tree = _pack(checkpoint, tensors)
        name = f"tensors-{checkpoint['global_step']}.safetensors"
        write_atomic(folder / name, save(tensors))
        index = {"tensors": name, "sha256": sha256(folder / name), "tree": tree}
        write_vouched(folder / _INDEX, index, self._owner)
        for old in folder.glob("tensors-*.safetensors"):
            if old.name != name:
                old.unlink()

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        """Read the state back. Raises UserError when a byte is wrong."""
        folder = Path(path)
        index = read_vouched(folder / _INDEX, self._owner)
        file = folder / Path(index["tensors"]).name  # its own folder's, wherever the index says that it lies
        if not is_regular(file) or sha256(file) != index["sha256"]:
            raise UserError(f"{file}: damaged (it is not what was saved)", exit_code=1)
        tree: dict[str, Any] = _unpack(index["tree"], load(file.read_bytes()))
        return tree

    def saved(self, folder: Path, say: Callable[[str], None]) -> Saved | None:
        """Return what there is to go on from in `folder`, every bit of it checked, or None.

        A damaged state is removed, and `say` told that the stage starts over.
        """
        if not os.path.lexists(folder) or (folder.is_dir() and not os.path.lexists(folder / _INDEX)):
            return None
        try:
            tree = self.load_checkpoint(folder)
        except UserError as error:
            say(f"what it could go on from is damaged, so it starts over: {error}")
            remove(folder)
            return None
        return Saved(tree["global_step"], tree.get("callbacks", {}))

    def remove_checkpoint(self, path: Any) -> None:
        """Refuse: the folder is the stage's to delete, with its work."""
        raise NotImplementedError(f"{path} belongs to the stage")


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
