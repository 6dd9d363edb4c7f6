"""The toy runs that several tests look at, made once for all of them."""

import os
from pathlib import Path

import pytest
from filelock import FileLock

from tests.golden import arithmetic, files, toys


@pytest.fixture(scope="session")
def toy_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which they were made, by whichever of pytest's processes came first."""
    if not arithmetic.SAME_EVERYWHERE:
        pytest.skip("only x86-64 under Linux can be told how to compute, and bits were recorded there")
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "golden_toys"
    with FileLock(f"{folder}.lock"):
        if not (folder / "results.json").is_file():
            toys.make(folder)
    recorded, here = files.read("toys.json")["arithmetic"], files.parse(folder / "arithmetic.json")
    if others := sorted(name for name in recorded if recorded[name] != here.get(name)):
        pytest.skip(
            f"other libraries compute here than where the bits were recorded: they differ in {', '.join(others)}"
        )
    return folder
