"""Modules of the torture that must have a process of their own: run, and what they said, a JSON line each."""

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from tests.torture.conftest import REPOSITORY


def lines_of(module: str, *arguments: str, environment: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return what `python -m module` printed; it must have ended well."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=environment,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]
