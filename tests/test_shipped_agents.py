"""What wmframe ships drives as its page says: some of its report seeds again, to the last digit."""

from pathlib import Path

import pytest

from tests.runs import record
from wmframe.agents.find import find_run
from wmframe.agents.zoo import entries
from wmframe.cli.main import main
from wmframe.engine.durability.files import read_json

MOST_BYTES = 12_000_000


@pytest.mark.slow
@pytest.mark.parametrize("named", entries())
def test_it_scores_here_what_it_scored_where_it_was_made(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", named, "episodes=3"]) == 0
    folder = find_run(named).folder
    shipped = record(folder)
    assert shipped["seeds"] == list(range(shipped["seeds"][0], shipped["seeds"][0] + 100))
    [again] = [
        scores
        for path in tmp_path.glob("artefacts/evaluate/*/scores.json")
        if len((scores := read_json(path))["seeds"]) == 3
    ]
    assert again["seeds"] == shipped["seeds"][:3]
    for what in ("returns", "lengths"):
        assert again["scores"]["reality"][what] == shipped["scores"]["reality"][what][:3]


@pytest.mark.parametrize("named", entries())
def test_it_is_small_enough_to_be_shipped(named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    find_run(named)
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) < MOST_BYTES


def test_both_lines_have_a_driver_that_learned_in_its_sleep() -> None:
    assert {"zoo/car_racing_dream", "zoo/car_racing_pure"} <= set(entries())
