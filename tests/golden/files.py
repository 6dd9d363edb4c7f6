"""The recorded files: JSON with sorted names, laid out to be compared line by line, and plain text."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

RECORDED: Final = Path(__file__).parent / "recorded"

_WIDTH: Final = 118


def read(name: str) -> Any:
    """Return the plain values of a recorded file."""
    return parse(RECORDED / name)


def parse(path: Path) -> Any:
    """Return the plain values of a JSON file."""
    return json.loads(path.read_text())


def write(name: str, value: Any) -> None:
    """Record plain values."""
    RECORDED.mkdir(exist_ok=True)
    (RECORDED / name).write_text(f"{pretty(value)}\n")


def pretty(value: Any, indent: int = 0) -> str:
    """Return JSON in which what fits on a line stands on one, and so does a list of plain values, however long."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
    rows: list[str] = []
    if len(text) > _WIDTH - indent:
        if isinstance(value, Mapping):
            rows = [
                f"{json.dumps(name, ensure_ascii=False)}: {pretty(value[name], indent + 1)}" for name in sorted(value)
            ]
        elif isinstance(value, list) and any(isinstance(item, list | Mapping) for item in value):
            rows = [pretty(item, indent + 1) for item in value]
    if not rows:
        return text
    inner, outer = "\n" + " " * (indent + 1), "\n" + " " * indent
    return text[0] + inner + f",{inner}".join(rows) + outer + text[-1]
