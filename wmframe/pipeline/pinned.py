"""An agent that an experiment begins with, pinned to its key: where it lies, and what code of the user's it runs on.

Called by whatever binds an experiment, so that its graph can say so without reading anything. Imports nothing heavy.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from wmframe.config.bind import Component
from wmframe.config.closure import code_of
from wmframe.config.signature import TargetError
from wmframe.config.source import is_allowed
from wmframe.errors import UserError
from wmframe.files import read_json
from wmframe.vouched import is_regular

PINNED: Final = re.compile(r"(?P<named>.+)@(?P<key>[0-9a-f]{16})")
"""An agent's name with its key, which alone stands in the graph (`first_driver.pin`)."""


def with_drivers_code(experiment: Component, allowed: Sequence[str]) -> Component:
    """Return an experiment that carries the code of its pinned first driver, whose V, M and C will be built by it.

    One that is nowhere has none here: `fetch` says so when it is wanted.
    """
    match = PINNED.fullmatch(str(experiment.arguments.get("first_driver")))
    if match is None or all(is_allowed(module, ("wmframe",)) for module in allowed):
        return experiment
    root = Path(str(experiment.part("paths").arguments["root"]))
    parts = sorted(_lies(match["named"], match["key"], root).glob("*/component.json"))
    targets = [target for part in parts if is_regular(part) for target in _targets(read_json(part))]
    try:
        code = {module.name: module for target in targets for module in code_of(target, allowed)}
    except TargetError as error:
        raise UserError(f"first_driver={match['named']}: {error}") from error
    return replace(experiment, code=tuple(code.values()))


def _lies(named: str, key: str, root: Path) -> Path:
    """Return where a pinned agent is: in the project, or in that of the run that it is named by."""
    runs = (Path(named), root / "runs" / named)
    folders = [place / "artefacts" / "agent" / key for place in (root, *(run.resolve().parent.parent for run in runs))]
    return next((folder for folder in folders if folder.is_dir()), folders[0])


def _targets(plain: object) -> Iterator[str]:
    match plain:
        case Mapping():
            for name, value in plain.items():
                yield from [value] if name == "_target_" and isinstance(value, str) else _targets(value)
        case list():
            for item in plain:
                yield from _targets(item)
