"""Arrays written to .npy files row by row, with what NumPy would write.

Rows come in; a file goes out that can be mapped into memory for reading. It is not mapped for writing: on a full disk
a mapped write ends the process without a word, where this raises OSError. Called by the latents stage.
"""

from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from wmframe.engine.durability.files import about


class ArrayWriter:
    """An array of a shape (N, …) in the file `path`, to be written in order; use as a context manager."""

    def __init__(self, path: Path, dtype: npt.DTypeLike, shape: tuple[int, ...]) -> None:
        self._path, self._dtype, self._shape = path, np.dtype(dtype), shape
        facts = {"descr": np.lib.format.dtype_to_descr(self._dtype), "fortran_order": False, "shape": shape}
        with about(path):
            self._file = path.open("wb")
            np.lib.format.write_array_header_1_0(self._file, facts)
        self._rows = 0

    def write(self, rows: npt.ArrayLike) -> None:
        """Append rows (n, …). Raises ValueError if they do not fit, OSError about the file if they cannot be
        written.
        """
        block = np.ascontiguousarray(rows, self._dtype)
        if block.shape[1:] != self._shape[1:] or self._rows + len(block) > self._shape[0]:
            raise ValueError(f"{self._path}: {block.shape} does not fit {self._shape} after {self._rows} rows")
        self._rows += len(block)
        with about(self._path):
            self._file.write(block.tobytes())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with about(self._path):
            self._file.close()
        if kind is None and self._rows != self._shape[0]:
            raise ValueError(f"{self._path}: {self._rows} of {self._shape[0]} rows were written")
