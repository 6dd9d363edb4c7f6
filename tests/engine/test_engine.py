"""The engine knows nothing of what it computes: neither by import nor by word."""

import re
from pathlib import Path

import pytest

from tests.test_floors import ROOT, imports

MODULES = sorted((ROOT / "wmframe" / "engine").rglob("*.py"))
WORDS = re.compile(
    r"\b(agents?|drivers?|controllers?|episodes?|rewards?|dream\w*|latents?|rollouts?|policy|policies|gymnasium\."
    r"|car_racing|zoo|vae|rnn|awake)\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_it_imports_nothing_of_the_science(path: Path) -> None:
    ours = {module for module in imports(path) if module.startswith("wmframe.")}
    assert not {module for module in ours if not module.startswith(("wmframe.engine", "wmframe.__"))}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_it_has_no_word_of_it(path: Path) -> None:
    found = {number: line for number, line in enumerate(path.read_text().splitlines(), 1) if WORDS.search(line)}
    assert not found
