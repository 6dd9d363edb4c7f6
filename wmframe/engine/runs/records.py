"""What runs and sweeps keep on disk, read back: every value is what its field says, whoever wrote the file.

In: a path and a frozen dataclass, or the modules that targets may come from. Out: a record or a bound experiment, or a
UserError that names the file. Called by runs and sweeps.
"""

import json
from collections.abc import Hashable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from wmframe.engine.config.bind import Component, bind
from wmframe.engine.config.component import targets_in
from wmframe.engine.config.files import read_mapping
from wmframe.engine.config.source import is_allowed, locate
from wmframe.engine.durability.checksummed import read_unvouched, read_vouched_or_old, read_vouched_text
from wmframe.engine.errors import UserError
from wmframe.engine.graph.recipe import RECIPE

Record = TypeVar("Record")


def read_record(file: Path, kind: type[Record], what: str, owner: str | None = None) -> Record:
    """Return the dataclass that a JSON file holds; `what` names it for people.

    With `owner` the file must vouch for itself as that owner's, if it has a checksum at all. Raises UserError for a
    file that is missing or damaged, and for a value of another type, or a field too many.
    """
    content = read_unvouched(file) if owner is None else read_vouched_or_old(file, owner)
    try:
        record: Record = _adapter(cast("Hashable", kind)).validate_json(json.dumps(content), strict=True)
        return record
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        said = f"{where}: {first['msg']}" if where else first["msg"]
        raise UserError(f"{file}: not {what} ({said})", exit_code=1) from error


def read_experiment(file: Path, allowed: Sequence[str], owner: str) -> Component:
    """Return the experiment that a YAML file holds, bound again.

    Raises ConfigError or UserError if it holds none, or its checksum says that it is damaged or another's.
    """
    read_vouched_text(file, owner)
    config = read_mapping(file)
    target = config.get("_target_")
    if not isinstance(target, str):
        raise UserError(f"{file}: holds no experiment", exit_code=1)
    if gone := next(filter(_gone, targets_in(config)), None):
        raise UserError(
            f"{file}: was written by another version of wmframe, which had a {gone}. Run its command again with this "
            "one; what is still the same is not computed again.",
            exit_code=1,
        )
    return bind({str(name): value for name, value in config.items()}, kind=RECIPE, allowed=allowed)


def _gone(target: str) -> bool:
    """Tell of a target of wmframe's own whether it stands in no module of this version."""
    return is_allowed(target, ("wmframe",)) and locate(target.rpartition(".")[0]) is None


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
