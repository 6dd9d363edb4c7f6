"""Lightning's checkpoint as plain data (`engine/durability/resumable.py`): the CheckpointIO seam that it offers for it.

Lightning hands over a nested dict of tensors and plain values and gets the same back. Used by `fit`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytorch_lightning.plugins.io import CheckpointIO

from wmframe.engine.durability.resumable import find_state, read_state, write_state


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
        write_state(Path(path), checkpoint, self._owner, step=checkpoint["global_step"])

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        """Read the state back. Raises UserError when a byte is wrong."""
        return read_state(Path(path), self._owner)

    def saved(self, folder: Path, say: Callable[[str], None]) -> Saved | None:
        """Return what there is to go on from in `folder`, every bit of it checked, or None.

        A damaged state is removed, and `say` told that the stage starts over.
        """
        tree = find_state(folder, self._owner, say)
        return None if tree is None else Saved(tree["global_step"], tree.get("callbacks", {}))

    def remove_checkpoint(self, path: Any) -> None:
        """Refuse: the folder is the stage's to delete, with its work."""
        raise NotImplementedError(f"{path} belongs to the stage")
