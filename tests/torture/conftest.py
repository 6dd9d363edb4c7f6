"""`make torture` may be broken off: what has passed with this very code is not run again, and figures are kept.

build/torture/passed.jsonl has a line for every test that passed, with a digest of the code that it passed with;
build/torture/figures.jsonl a line for every figure that a test measured, for docs/reliability.md.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.torture.scale import FULL

if TYPE_CHECKING:
    from tests.torture.forge import Forge

REPOSITORY = Path(__file__).parents[2]
KEPT = REPOSITORY / "build" / "torture"

Figure = Callable[[str, Any], None]


@pytest.fixture(scope="session")
def forge() -> Iterator["Forge"]:
    """Return a warm server that forks real processes."""
    from tests.torture.forge import Forge

    forge = Forge()
    yield forge
    forge.close()


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Figure:
    """Return a function that keeps a named figure of a full run, a number or plain JSON."""

    def keep(name: str, value: Any) -> None:
        _append("figures.jsonl", {"test": request.node.nodeid, "figure": name, "value": value, "code": _code()})

    return keep


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what has passed already."""
    if not FULL:
        return
    passed = _passed()
    done = [item for item in items if item.nodeid in passed]
    if done:
        config.hook.pytest_deselected(items=done)
        items[:] = [item for item in items if item.nodeid not in passed]


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Call it a success when nothing was left to run: pytest has an exit code of its own for that."""
    if FULL and exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and _passed():
        session.exitstatus = pytest.ExitCode.OK


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Write down what passed."""
    report = yield
    if FULL and call.when == "call" and report.passed:  # type: ignore[attr-defined]
        _append("passed.jsonl", {"test": item.nodeid, "seconds": round(call.duration, 2), "code": _code()})
    return report


def _passed() -> set[str]:
    path = KEPT / "passed.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []
    return {row["test"] for row in rows if row["code"] == _code()}


def _append(name: str, row: dict[str, Any]) -> None:
    if not FULL:
        return
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / name).open("a") as file:
        file.write(json.dumps(row, sort_keys=True) + "\n")


@cache
def _code() -> str:
    """A digest of everything that a test of the torture could depend on."""
    digest = hashlib.sha256()
    for folder in ("wmframe", "conf", "hydra_plugins", "tests"):
        for path in sorted((REPOSITORY / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(path.relative_to(REPOSITORY).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]
