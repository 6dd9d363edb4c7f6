"""Ways in which a file goes bad on disk. Each changes what stands at a path; none says whether that is damage.

`other` is a file of the same kind that belongs elsewhere: the file is swapped with it.
"""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

Damage = Callable[[Path, Path], None]


def flip(path: Path, bit: int) -> None:
    """Flip one bit of a file, counted from its first; counted from its last where negative."""
    content = bytearray(path.read_bytes())
    bit %= len(content) * 8
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)


def flip_any(path: Path, chance: random.Random) -> str:
    """Flip a bit by chance, and return which."""
    bit = chance.randrange(path.stat().st_size * 8)
    flip(path, bit)
    return f"bit {bit} of {path.name}"


def _empty(path: Path, _: Path) -> None:
    path.write_bytes(b"")


def _cut_in_half(path: Path, _: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _cut_by_a_byte(path: Path, _: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _flip_in_the_header(path: Path, _: Path) -> None:
    flip(path, 26)


def _flip_in_the_payload(path: Path, _: Path) -> None:
    flip(path, path.stat().st_size * 6 + 1)


def _swap(path: Path, other: Path) -> None:
    mine, theirs = path.read_bytes(), other.read_bytes()
    path.write_bytes(theirs)
    other.write_bytes(mine)


def _delete(path: Path, _: Path) -> None:
    path.unlink()


def _link(path: Path, _: Path) -> None:
    """To its own content, which is the hardest to tell."""
    moved = path.parents[3] / f"moved-{path.name}"
    path.rename(moved)
    path.symlink_to(moved)


def _folder(path: Path, _: Path) -> None:
    path.unlink()
    path.mkdir()
    shutil.copy(__file__, path)


DAMAGES: dict[str, Damage] = {
    "empty": _empty,
    "cut in half": _cut_in_half,
    "a byte short": _cut_by_a_byte,
    "a bit flipped in the header": _flip_in_the_header,
    "a bit flipped in the payload": _flip_in_the_payload,
    "swapped": _swap,
    "deleted": _delete,
    "a link": _link,
    "a folder": _folder,
}
