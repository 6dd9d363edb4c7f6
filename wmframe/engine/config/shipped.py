"""Where wmframe's own YAML files are, and what choices they offer. Imports nothing heavy: `--help` shows them."""

from collections.abc import Iterator
from pathlib import Path

from wmframe.engine.errors import UserError


def conf_dir() -> Path:
    """The shipped YAML files: inside the package in a wheel, beside it in an editable install."""
    package = Path(__file__).resolve().parents[2]
    for folder in (package / "conf", package.parent / "conf"):
        if folder.is_dir():
            return folder
    raise UserError(f"wmframe's own YAML files are missing from {package}: install it again")


def choices() -> dict[str, list[str]]:
    """Every group of the shipped YAML files with its options, in alphabetical order."""
    groups = sorted(path for path in conf_dir().iterdir() if path.is_dir())
    return {group.name: sorted(_options(group)) for group in groups}


def _options(group: Path) -> Iterator[str]:
    """A file's path from its group's folder is its name: folder/file."""
    return (file.relative_to(group).with_suffix("").as_posix() for file in group.rglob("*.yaml"))
