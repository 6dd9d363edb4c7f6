"""Encoded episodes on disk and in memory maps: (mu, logvar) of every frame, never a frozen sample.

The latents stage writes one folder per (vision, collection); the memory and controller stages read many as one.
Legend: N frames of all episodes end to end, E episodes, Z latent, A action.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from wmframe.data.split import Split, split
from wmframe.engine.errors import UserError

Array = npt.NDArray[np.generic]


@dataclass(frozen=True)
class EncodedEpisodes:
    """Episodes end to end. Row i of `actions`, `rewards`, `done` is the step taken at frame i.

    mu, logvar (N, Z) float16; actions (N, A) float32; rewards, done (N,) float32, zero at each episode's last frame,
    which no step follows; starts (E + 1,) int64: episode e is rows starts[e] … starts[e + 1]; seeds, limits (E,) int64:
    its environment seed, and the steps at which a time limit ends it.
    """

    mu: npt.NDArray[np.float16]
    logvar: npt.NDArray[np.float16]
    actions: npt.NDArray[np.float32]
    rewards: npt.NDArray[np.float32]
    done: npt.NDArray[np.float32]
    starts: npt.NDArray[np.int64]
    seeds: npt.NDArray[np.int64]
    limits: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        lengths = {field.name: int(self.starts[-1]) for field in fields(self)}
        lengths |= {"starts": len(self) + 1, "seeds": len(self), "limits": len(self)}
        for name, rows in lengths.items():
            if len(getattr(self, name)) != rows:
                raise ValueError(f"{name} has {len(getattr(self, name))} rows, not {rows}")

    def __len__(self) -> int:
        """How many episodes there are."""
        return len(self.starts) - 1

    @classmethod
    def load(cls, folder: Path) -> "EncodedEpisodes":
        """Map a folder's arrays; nothing is read until used. Raises UserError for arrays that are not what they are."""
        arrays = {field.name: _mapped(folder / f"{field.name}.npy", *_KINDS[field.name]) for field in fields(cls)}
        starts = arrays["starts"]
        if len(starts) < 2 or starts[0] != 0 or (np.diff(starts) < 1).any():
            raise UserError(f"{folder}: its episodes do not begin one after the other", exit_code=1)
        try:
            return cls(**arrays)
        except ValueError as error:
            raise UserError(f"{folder}: {error}", exit_code=1) from error


_KINDS: Final = {
    "mu": (np.float16, 2),
    "logvar": (np.float16, 2),
    "actions": (np.float32, 2),
    "rewards": (np.float32, 1),
    "done": (np.float32, 1),
    "starts": (np.int64, 1),
    "seeds": (np.int64, 1),
    "limits": (np.int64, 1),
}
"""Every array's type and number of dimensions."""


def _mapped(path: Path, dtype: npt.DTypeLike, dimensions: int) -> npt.NDArray[Any]:
    # Not np.load: what that makes of a file is the file's to say, an archive or, if asked, a pickle.
    try:
        array = np.lib.format.open_memmap(path, mode="r")
    except (ValueError, OverflowError, EOFError) as error:
        raise UserError(f"{path} is no array that can be mapped: {error}", exit_code=1) from error
    if array.dtype != dtype or array.ndim != dimensions:
        raise UserError(f"{path} is {array.dtype} {array.shape}, not {np.dtype(dtype)} of {dimensions}", exit_code=1)
    return np.asarray(array)  # still mapped, but cut as fast as any array: a memmap makes a memmap of every slice


@dataclass(frozen=True)
class EpisodeRef:
    """Where an encoded episode lies: which folder (round 1's is 0), which rows [start, stop). `limit` is the steps at
    which a time limit ends it.
    """

    folder: int
    start: int
    stop: int
    limit: int

    @property
    def steps(self) -> int:
        """How many steps it has: one fewer than its frames."""
        return self.stop - self.start - 1

    @property
    def later(self) -> bool:
        """Whether a later round recorded it, with a driver that had learned."""
        return self.folder > 0


class LatentData:
    """Many folders of encoded episodes, a round each, as one list of episodes."""

    def __init__(self, folders: Sequence[EncodedEpisodes]) -> None:
        self.folders = tuple(folders)
        self.episodes = tuple(
            EpisodeRef(number, int(data.starts[e]), int(data.starts[e + 1]), int(data.limits[e]))
            for number, data in enumerate(self.folders)
            for e in range(len(data))
        )

    def split(self) -> Split:
        """Return the numbers of the episodes to fit on and of those held out (`data.split`)."""
        return split([data.seeds.tolist() for data in self.folders])
