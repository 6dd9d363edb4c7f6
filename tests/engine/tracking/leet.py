"""What W&B wrote, read by its own reader, which needs no account."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

Record = dict[str, Any]


def log_of(run_folder: Path) -> Path:
    """The one .wandb file of a run."""
    [log] = (run_folder / "wandb").glob("offline-run-*/*.wandb")
    return log


def inspect(run_folder: Path) -> list[Record]:
    """Every record of a run's log: each with its "type", and what it holds under that name."""
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(log_of(run_folder))]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def of_type(records: list[Record], kind: str) -> list[Record]:
    """The records of one type, unpacked."""
    return [record[kind] for record in records if record["type"] == kind]


def rows(records: list[Record]) -> list[Record]:
    """The metrics as they were logged, without what W&B adds of its own."""
    items = [record["item"] for record in of_type(records, "history")]
    return [{name: value for name, value in item.items() if not name.startswith("_")} for item in items]
