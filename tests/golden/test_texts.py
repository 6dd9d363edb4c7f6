"""What commands and pages say is what was recorded: plans, helps, a toy run's scoreboard and page, a sweep's table.

These are meant to be recorded anew whenever words are changed on purpose (`python -m tests.golden.record texts`): the
commit then shows every word that a user will read otherwise. Until then they say that nothing moved on the screen.
Numbers are those of runs whose bits are recorded; keys, times and names of runs are left out.
"""

import difflib
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.golden import texts
from tests.golden.files import RECORDED


def assert_as_recorded(said: Mapping[str, str]) -> None:
    told: list[str] = []
    for name, text in said.items():
        before = (RECORDED / name).read_text().splitlines()
        told += difflib.unified_diff(before, text.splitlines(), f"recorded/{name}", "now", lineterm="")
    assert not told, "\n".join(told)


def test_plans_and_helps_say_what_was_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert_as_recorded(texts.commands())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_run_and_a_sweep_of_the_toy_say_what_was_recorded(toy_runs: Path) -> None:
    assert_as_recorded(texts.toys(toy_runs))


def test_every_recorded_text_is_compared() -> None:
    assert {path.name for path in RECORDED.glob("*.txt")} == {*texts.NAMES}


def test_keys_times_and_runs_are_told_by_their_place() -> None:
    said = "0123456789abcdef 1.5 s 20261130-104118-toy-dd73 0123456789 fedcba9876543210 2026-11-30T10:41:18+00:00"
    assert texts.stripped(said) == "k1 TIME DATE-toy-RUN k1 k2 DATE"
