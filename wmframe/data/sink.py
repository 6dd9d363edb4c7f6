"""A file that HDF5 writes through us, because it does not tell of every write that fails.

What HDF5 still has to write when an object is closed is written where nobody hears of an error: a disk that was full
for a moment then leaves a hole in a file that looks whole. Here every write passes by, and the first that fails is
remembered. From then on HDF5 is told that all is well, or it could not be closed. Called by `ShardWriter`.
"""

import os
from pathlib import Path

from wmframe.engine.durability.files import about


class Sink:
    """A new file at `path`, with the methods that h5py asks of a file-like object."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("w+b", buffering=0)
        self._fault: OSError | None = None

    def check(self) -> None:
        """Raise the OSError of the first write that failed."""
        if self._fault is not None:
            raise self._fault

    def finish(self) -> None:
        """Make the content durable. Raises the OSError of this, or of the first write that failed."""
        self.check()
        with about(self._path):
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._file.close()

    def write(self, content: memoryview) -> int:
        """Write all of it, or remember why not."""
        written, size = 0, len(content)
        try:
            while self._fault is None and written < size:
                with about(self._path):
                    written += self._file.write(content[written:]) or 0
        except OSError as error:
            self._fault = error
        return size

    def truncate(self, size: int) -> int:
        """Cut the file, or remember why not."""
        try:
            if self._fault is None:
                with about(self._path):
                    self._file.truncate(size)
        except OSError as error:
            self._fault = error
        return size

    def readinto(self, buffer: memoryview) -> int:
        """Read what stands at the file's position; zeros where a write that failed left nothing."""
        read = self._file.readinto(buffer) or 0
        buffer[read:] = bytes(len(buffer) - read)
        return len(buffer)

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes."""
        return self._file.read(size) or b""

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the position."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell()

    def flush(self) -> None:
        """Do nothing: what was written is with the system already."""
