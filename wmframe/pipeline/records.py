"""What runs and sweeps keep on disk, read back: every value is what its field says, whoever wrote the file.

In: a path and a frozen dataclass, or the modules that targets may come from. Out: a record or a bound experiment, or a
UserError that names the file. Called by runs and sweeps.
"""

from collections.abc import Hashable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from wmframe.config.bind import Component, bind
from wmframe.config.files import read_mapping
from wmframe.errors import UserError
from wmframe.pipeline.graph import TARGET

Record = TypeVar("Record")


def read_record(file: Path, kind: type[Record], what: str) -> Record:
    """Return the dataclass that a JSON file holds; `what` names it for people.

    Raises UserError for a file that is missing or damaged, and for a value of another type, or a field too many.
    """
    try:
        record: Record = _adapter(cast("Hashable", kind)).validate_json(file.read_bytes(), strict=True)
        return record
    except FileNotFoundError:
        raise UserError(f"{file}: there is no such file") from None
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror})") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        wrong = "damaged or not JSON" if first["type"] == "json_invalid" else f"not {what}"
        said = f"{where}: {first['msg']}" if where else first["msg"]
        raise UserError(f"{file}: {wrong} ({said})", exit_code=1) from error


def read_experiment(file: Path, allowed: Sequence[str]) -> Component:
    """Return the experiment that a YAML file holds, bound again; raises ConfigError or UserError if it holds none."""
    config = read_mapping(file)
    if config.get("_target_") != TARGET:
        raise UserError(f"{file}: holds no experiment", exit_code=1)
    return bind({str(name): value for name, value in config.items()}, allowed=allowed)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
