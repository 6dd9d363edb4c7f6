"""A shard of recorded episodes, opened: HDF5 that anybody may have written, held to the little of it that we use.

In: a shard's path, an episode's name in it. Out: the open file, what it says of an episode, and the certainty that its
arrays lie in this very file, in the shapes and types that a recorder writes. HDF5 could do more: point to other files,
claim sizes that nothing fills, or want filters that would be looked for as plugins. Called by `episodes`.
"""

import json
import os
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np

from wmframe.engine.errors import UserError

CHUNK: Final = 32
"""Frames compressed together: what one read decompresses."""

_INFLATION: Final = 1032
"""Bytes that deflate can make of one, at the very most."""


def open_shard(path: Path) -> h5py.File:
    """Open a shard for reading. Raises UserError for what is no HDF5 file, OSError if the machine fails."""
    try:
        return h5py.File(path, "r")
    except OSError as error:
        if error.errno is not None:
            raise OSError(error.errno, os.strerror(error.errno), str(path)) from error
        raise UserError(f"{path}: cannot be read as recorded episodes ({error})", exit_code=1) from error


def read_info(file: h5py.File, name: str) -> dict[str, Any]:
    """Return the JSON that an episode says of itself; raises UserError for anything else."""
    try:
        _own(file, name)
        said = json.loads(_text(file[name]))
    except (ValueError, KeyError, TypeError, OSError, RuntimeError, RecursionError) as error:
        raise UserError(f"{file.filename}: {name} says nothing of itself ({error})", exit_code=1) from error
    if not isinstance(said, dict):
        raise UserError(f"{file.filename}: {name} says nothing of itself", exit_code=1)
    return said


def check_episode(file: h5py.File, name: str, steps: int) -> None:
    """Raise UserError unless an episode's frames, actions and rewards are those of so many steps."""
    try:
        frames, actions, rewards = (_array(file[name], part) for part in ("frames", "actions", "rewards"))
    except (ValueError, KeyError, TypeError, OSError, RuntimeError) as error:
        raise UserError(f"{file.filename}: {name} cannot be read ({error})", exit_code=1) from error
    fits = (
        (frames.ndim == 4 and len(frames) == steps + 1 and frames.shape[3] in (1, 3) and frames.dtype == np.uint8)
        and (actions.ndim == 2 and len(actions) == steps > 0 and actions.dtype == np.float32)
        and (rewards.shape == (steps,) and rewards.dtype == np.float32)
    )
    if not fits:
        raise UserError(f"{file.filename}: {name} does not hold {steps} steps as they are recorded", exit_code=1)


def _own(group: h5py.Group, name: str) -> None:
    """Raise ValueError for a link that leads on, perhaps into another file."""
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise ValueError(f"{name} is a link")


def _text(group: Any) -> str:
    if not isinstance(group, h5py.Group):
        raise TypeError("it is no group")
    said = group.attrs["info"]
    if not isinstance(said, str):
        raise TypeError("its info is no text")
    return said


def _array(group: h5py.Group, name: str) -> h5py.Dataset:
    _own(group, name)
    array = group[name]
    if not isinstance(array, h5py.Dataset) or array.external or array.is_virtual:
        raise ValueError(f"{name} does not lie in this file")
    created = array.id.get_create_plist()
    filters = [created.get_filter(number)[0] for number in range(created.get_nfilters())]
    if any(number != h5py.h5z.FILTER_DEFLATE for number in filters):
        raise ValueError(f"{name} is compressed by something else than gzip")
    if array.nbytes > array.id.get_storage_size() * _INFLATION:
        raise ValueError(f"{name} claims {array.nbytes:,} bytes, which it does not have")
    return array
