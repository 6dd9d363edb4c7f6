"""The search on its own: ranges become a space, the best is found, and a ledger cut short is gone on from."""

import json
import math
from collections.abc import Sequence
from pathlib import Path

import pytest
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper

from hydra_plugins.wmframe_nevergrad._search import Search
from hydra_plugins.wmframe_nevergrad._space import Space, with_changes
from wmframe.engine.errors import UserError

RANGES = ("fixed=1", "a=interval(-2,2)", "b=tag(log,interval(0.001,10))", "c=int(interval(1,9))", "d=x,y")


def values(job: Sequence[str]) -> dict[str, str]:
    return dict(override.split("=") for override in job)


def loss(job: Sequence[str]) -> float:
    """Least, 0, at a = 1, b = 0.1, c = 4, d = y."""
    said = values(job)
    a, b, c = float(said["a"]), float(said["b"]), int(said["c"])
    return (a - 1) ** 2 + math.log10(b / 0.1) ** 2 + (c - 4) ** 2 / 10 + (said["d"] != "y")


class Jobs:
    """Runs jobs by their closed form, and remembers them; the one numbered `killed_at` never comes back."""

    def __init__(self, *, killed_at: int | None = None, failing: Sequence[int] = ()) -> None:
        self.ran: list[list[str]] = []
        self.killed_at, self.failing = killed_at, failing

    def __call__(self, jobs: Sequence[Sequence[str]], first: int) -> list[float | None]:
        if self.killed_at is not None and first + len(jobs) > self.killed_at:
            raise KeyboardInterrupt
        self.ran += map(list, jobs)
        return [None if first + n in self.failing else loss(job) for n, job in enumerate(jobs)]


def search(folder: Path, *, optimizer: str = "NGOpt4", budget: int = 60, workers: int = 1) -> Search:
    return Search(Space(RANGES), optimizer, budget, workers, 0, folder / "search.jsonl")


def test_hydra_finds_it() -> None:
    names = {f"{found.__module__}.{found.__name__}" for found in Plugins.instance().discover(Sweeper)}
    assert "hydra_plugins.wmframe_nevergrad.sweeper.NevergradSweeper" in names


@pytest.mark.parametrize("optimizer", ["NGOpt4", "OnePlusOne", "TwoPointsDE"])
def test_it_finds_what_is_best(tmp_path: Path, optimizer: str) -> None:
    jobs = Jobs()
    best = search(tmp_path, optimizer=optimizer, budget=200, workers=4).minimise(jobs)
    assert loss(best) < 0.6
    assert len(jobs.ran) == 200


def test_every_job_lies_in_its_ranges(tmp_path: Path) -> None:
    jobs = Jobs()
    search(tmp_path, budget=50).minimise(jobs)
    for job in jobs.ran:
        said = values(job)
        assert list(said) == ["fixed", "a", "b", "c", "d"]
        assert said["fixed"] == "1"
        assert -2 <= float(said["a"]) <= 2
        assert 0.001 <= float(said["b"]) <= 10
        assert 1 <= int(said["c"]) <= 9
        assert said["d"] in {"x", "y"}


def test_ranges_and_ordered_choices_keep_their_spelling(tmp_path: Path) -> None:
    space = Space(["n=range(1,4)", "m=tag(ordered,choice(small,'very large'))"])
    jobs: list[Sequence[str]] = []

    def told(asked: Sequence[Sequence[str]], _first: int) -> list[float | None]:
        jobs.extend(asked)
        return [0.0] * len(asked)

    Search(space, "RandomSearch", 30, 1, 0, tmp_path / "search.jsonl").minimise(told)
    assert {job[0] for job in jobs} == {"n=1", "n=2", "n=3"}
    assert {job[1] for job in jobs} == {"m=small", r"m=very\ large"}


@pytest.mark.parametrize("optimizer", ["NGOpt4", "TBPSA", "PSO"])
def test_a_killed_search_goes_on_to_the_same_end(tmp_path: Path, optimizer: str) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    straight, before, after = Jobs(), Jobs(killed_at=20), Jobs()
    best = search(whole, optimizer=optimizer, workers=3).minimise(straight)
    with pytest.raises(KeyboardInterrupt):
        search(broken, optimizer=optimizer, workers=3).minimise(before)
    assert search(broken, optimizer=optimizer, workers=3).minimise(after) == best
    assert before.ran + after.ran == straight.ran
    assert rows(broken) == rows(whole)


def rows(folder: Path) -> list[object]:
    """What was asked and told, without the checksums, in which the sweep's name is."""
    return [json.loads(line)["row"] for line in (folder / "search.jsonl").read_text().splitlines()]


def test_a_changed_digit_is_found_and_the_search_goes_on_from_before_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    best = search(tmp_path, budget=9).minimise(Jobs())
    whole = (tmp_path / "search.jsonl").read_text()
    lines = whole.splitlines(keepends=True)
    told = json.loads(lines[4])["row"]["told"][0]
    lines[4] = lines[4].replace(str(told), str(told + 1))
    (tmp_path / "search.jsonl").write_text("".join(lines))
    again = Jobs()
    assert search(tmp_path, budget=9).minimise(again) == best
    assert len(again.ran) == 5
    assert "damaged in line 5: the 4 before it stand" in capsys.readouterr().err
    assert (tmp_path / "search.jsonl").read_text() == whole


def test_a_failed_job_counts_as_the_worst_so_far(tmp_path: Path) -> None:
    jobs = Jobs(failing=[3])
    search(tmp_path, budget=6).minimise(jobs)
    told = [json.loads(line)["row"]["told"] for line in (tmp_path / "search.jsonl").read_text().splitlines()]
    assert told[3] == [None]
    assert len(jobs.ran) == 6
    with pytest.raises(UserError, match="none of the search's first jobs has a score"):
        search(tmp_path.parent, budget=6).minimise(Jobs(failing=range(6)))


def test_a_search_that_cannot_be_repeated_says_so(tmp_path: Path) -> None:
    search(tmp_path, budget=4).minimise(Jobs())
    with pytest.raises(UserError, match="cannot be repeated bit for bit"):
        search(tmp_path, budget=4, optimizer="PSO").minimise(Jobs())


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        (["a=1"], "needs a key with a range"),
        (["a=interval(2,1)"], "from low to high"),
        (["a=tag(log,interval(0,1))"], "above 0"),
    ],
)
def test_ranges_gone_wrong(ranges: list[str], expected: str) -> None:
    with pytest.raises(UserError, match=expected):
        Space(ranges)


def test_an_optimizer_by_a_wrong_name_is_answered_with_a_right_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"Did you mean .*TBPSA"):
        search(tmp_path, optimizer="TBSPA")


def test_what_confirms_takes_the_place_of_what_was_typed() -> None:
    assert with_changes(["seed=3", "a=1"], ["seed=1000", "b=2"]) == ["a=1", "seed=1000", "b=2"]


def test_two_dictionaries_merged_into_one_key_are_two_choices() -> None:
    space = Space(["kwargs={a:1},{a:2}", "seed=7", "kwargs={b:1},{b:2}"])
    space.parameters.random_state.seed(0)
    points = {tuple(space.overrides(space.parameters.sample().value)) for _ in range(60)}
    assert points == {(f"kwargs={{a:{a}}}", "seed=7", f"kwargs={{b:{b}}}") for a in (1, 2) for b in (1, 2)}


def test_a_key_that_is_set_and_then_searched_keeps_what_was_set() -> None:
    space = Space(["kwargs={b:3}", "kwargs={a:1},{a:2}"])
    assert {space.overrides(space.parameters.sample().value)[0] for _ in range(9)} == {"kwargs={b:3}"}
