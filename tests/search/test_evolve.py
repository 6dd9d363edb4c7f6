from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.search.test_strategy import GOAL, hill
from wmframe.engine.errors import UserError
from wmframe.search.contract import Found
from wmframe.search.evolve import CannotRepeatError, Ledger, evolve
from wmframe.search.settings import Search

Numbers = npt.NDArray[np.float64]
Score = Callable[[Numbers, int], Numbers]


def opened(path: Path, said: list[str] | None = None, owner: str = "mine") -> Ledger:
    """The ledger of a search, and what it says on opening."""
    return Ledger(path, owner, print if said is None else said.append)


class KilledError(Exception):
    """What stands for a kill."""


def noisy(candidates: Numbers, generation: int) -> Numbers:
    """The hill under noise that is a function of the generation, as seeds are."""
    return hill(candidates) + 0.1 * np.random.default_rng(generation).standard_normal(len(candidates))


def search(ledger: Path, settings: Search, *, fitness: Score = noisy, log: list[int] | None = None) -> Found | None:
    def report(generation: int, row: Mapping[str, float]) -> None:
        assert all(name.startswith("controller/") for name in row)
        assert row["controller/fitness_best"] >= row["controller/fitness_mean"]
        if log is not None:
            log.append(generation)

    strategy = settings.begin(np.zeros(6), 3)
    return evolve(settings, strategy, fitness=fitness, select=hill, ledger=opened(ledger), report=report)


def settings(generations: int = 9, **keys: object) -> Search:
    return Search(population=8, generations=generations, sigma=0.3, check_every=4, **keys)  # type: ignore[arg-type]


def same(one: Found | None, other: Found | None) -> bool:
    assert one is not None
    assert other is not None
    return (
        np.array_equal(one.parameters, other.parameters)
        and one.select_score == other.select_score
        and one.generation == other.generation
    )


@pytest.mark.parametrize("optimizer", ["ParametrizedCMA", "TBPSA", "PSO", "TwoPointsDE", "RandomSearch"])
def test_it_climbs(tmp_path: Path, optimizer: str) -> None:
    chosen = Search(population=16, generations=60, sigma=0.3, check_every=10, optimizer=optimizer, returned="select")
    found = search(tmp_path / "ledger", chosen)
    assert found is not None
    assert found.parameters.shape == (6,)
    assert found.select_score == hill(found.parameters[None])[0]
    assert found.select_score > hill(np.zeros((1, 6)))[0]


@pytest.mark.parametrize("optimizer", ["ParametrizedCMA", "TwoPointsDE"])
@pytest.mark.parametrize("returned", ["mean", "select", "improved"])
@pytest.mark.parametrize("killed_in", [1, 2, 4, 5, 9])
def test_killed_in_any_generation_it_ends_with_the_same_bits(
    tmp_path: Path, optimizer: str, returned: str, killed_in: int
) -> None:
    chosen = settings(optimizer=optimizer, returned=returned)
    expected = search(tmp_path / "whole", chosen)

    def dies(candidates: Numbers, generation: int) -> Numbers:
        if generation == killed_in:
            raise KilledError
        return noisy(candidates, generation)

    with pytest.raises(KilledError):
        search(tmp_path / "cut", chosen, fitness=dies)
    log: list[int] = []
    assert same(search(tmp_path / "cut", chosen, log=log), expected)
    assert log == list(range(1, 10))  # what is replayed is reported too: the history is written anew
    assert (tmp_path / "cut").read_bytes() == (tmp_path / "whole").read_bytes()


def test_killed_while_selecting_it_ends_with_the_same_bits(tmp_path: Path) -> None:
    expected = search(tmp_path / "whole", settings())

    def dies(finalists: Numbers) -> Numbers:
        raise KilledError

    with pytest.raises(KilledError):
        evolve(
            settings(),
            settings().begin(np.zeros(6), 3),
            fitness=noisy,
            select=dies,
            ledger=opened(tmp_path / "cut"),
            report=lambda generation, row: None,
        )
    assert same(search(tmp_path / "cut", settings()), expected)


def test_a_finished_search_is_only_replayed(tmp_path: Path) -> None:
    expected = search(tmp_path / "ledger", settings())

    def never(candidates: Numbers, generation: int) -> Numbers:
        raise AssertionError("a known generation was run again")

    assert same(search(tmp_path / "ledger", settings(), fitness=never), expected)


@pytest.mark.parametrize("cut", [1, 20, 200])
def test_a_line_cut_short_is_dropped(tmp_path: Path, cut: int) -> None:
    expected = search(tmp_path / "ledger", settings())
    whole = (tmp_path / "ledger").read_bytes()
    assert len(whole.splitlines()[-1]) > cut
    (tmp_path / "ledger").write_bytes(whole[:-cut])
    assert len(opened(tmp_path / "ledger").generations) == 8
    assert (tmp_path / "ledger").read_bytes() == b"".join(whole.splitlines(keepends=True)[:8])
    assert same(search(tmp_path / "ledger", settings()), expected)
    assert (tmp_path / "ledger").read_bytes() == whole


def test_opening_a_ledger_never_leaves_less_than_it_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    search(tmp_path / "ledger", settings())
    whole = (tmp_path / "ledger").read_bytes()
    (tmp_path / "ledger").write_bytes(whole + b'{"cut')

    def dies(self: Path, target: Path) -> Path:
        raise KilledError

    monkeypatch.setattr(Path, "replace", dies)  # killed between writing the mended file and putting it in place
    with pytest.raises(KilledError):
        opened(tmp_path / "ledger")
    assert (tmp_path / "ledger").read_bytes().startswith(whole)


def test_a_replay_that_comes_out_otherwise_is_said_so(tmp_path: Path) -> None:
    search(tmp_path / "whole", settings())
    ledger = opened(tmp_path / "ledger")
    for generation in opened(tmp_path / "whole").generations:
        ledger.add(replace(generation, fitness=tuple(value + 1.0 for value in generation.fitness[::-1])))
    with pytest.raises(CannotRepeatError, match="generation 2 cannot be repeated") as caught:
        search(tmp_path / "ledger", settings())
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("line", [0, 3, 8])
def test_a_changed_digit_is_found_and_what_stood_before_it_is_gone_on_from(tmp_path: Path, line: int) -> None:
    expected = search(tmp_path / "ledger", settings())
    whole = (tmp_path / "ledger").read_bytes()
    lines = whole.splitlines(keepends=True)
    at = lines[line].index(b"fitness") + 14
    lines[line] = lines[line][:at] + (b"1" if lines[line][at : at + 1] == b"2" else b"2") + lines[line][at + 1 :]
    (tmp_path / "ledger").write_bytes(b"".join(lines))
    said: list[str] = []
    assert len(opened(tmp_path / "ledger", said).generations) == line
    assert f"line {line + 1}" in said[0]
    assert same(search(tmp_path / "ledger", settings()), expected)
    assert (tmp_path / "ledger").read_bytes() == whole


def test_another_searchs_ledger_is_not_taken(tmp_path: Path) -> None:
    search(tmp_path / "ledger", settings())
    assert opened(tmp_path / "ledger", owner="another").generations == []


def test_no_generations_find_nothing(tmp_path: Path) -> None:
    assert search(tmp_path / "ledger", settings(0)) is None


def test_the_mean_is_returned_and_not_a_sample(tmp_path: Path) -> None:
    asked: list[Numbers] = []

    def remembers(candidates: Numbers, generation: int) -> Numbers:
        asked.append(candidates)
        return noisy(candidates, generation)

    found = search(tmp_path / "ledger", settings(30), fitness=remembers)
    assert found is not None
    assert found.generation == 30
    assert not (np.concatenate(asked) == found.parameters).all(1).any()
    assert np.abs(found.parameters - GOAL).max() < 0.5


def test_select_returns_the_best_mean_it_saw_and_mean_the_last(tmp_path: Path) -> None:
    def worsens(candidates: Numbers, generation: int) -> Numbers:
        return hill(candidates) * (1 if generation <= 12 else -1)  # from then on the search runs downhill

    best = search(tmp_path / "select", settings(24, returned="select"), fitness=worsens)
    last = search(tmp_path / "mean", settings(24, returned="mean"), fitness=worsens)
    assert best is not None
    assert last is not None
    assert best.generation in {8, 12, 16}
    assert last.generation == 24
    assert best.select_score > last.select_score + 0.1


def test_improved_keeps_what_it_began_with_unless_something_earns_more(tmp_path: Path) -> None:
    def downhill(candidates: Numbers, generation: int) -> Numbers:
        return -noisy(candidates, generation)

    kept = search(tmp_path / "down", settings(24, returned="improved"), fitness=downhill)
    assert kept is not None
    assert kept.generation == 0
    assert not kept.parameters.any()
    assert kept.select_score == hill(np.zeros((1, 6)))[0]
    better = search(tmp_path / "up", settings(24, returned="improved"))
    assert better is not None
    assert better.generation > 0
    assert same(better, search(tmp_path / "select", settings(24, returned="select")))
    assert better.select_score > kept.select_score


def test_where_the_search_stands_is_not_what_it_began_with(tmp_path: Path) -> None:
    said: dict[int, Mapping[str, float]] = {}
    chosen = settings(4, returned="improved")
    found = evolve(
        chosen, chosen.begin(GOAL, 0), fitness=noisy, select=hill, ledger=opened(tmp_path / "ledger"),
        report=said.__setitem__,
    )  # fmt: skip
    assert found is not None
    assert found.generation == 0
    assert said[4]["controller/start_return"] == found.select_score == hill(GOAL[None])[0]
    assert said[4]["controller/select_return"] < found.select_score
    assert "controller/start_return" not in said[3]


@pytest.mark.parametrize("generations", [1, 4, 5, 6])
def test_the_end_is_always_checked(tmp_path: Path, generations: int) -> None:
    found = search(tmp_path / "ledger", settings(generations))
    assert found is not None
    assert found.generation == generations


def test_an_optimizer_without_a_mean_returns_the_best_of_its_last_candidates_scored_anew(tmp_path: Path) -> None:
    rescored: list[Numbers] = []

    def select(finalists: Numbers) -> Numbers:
        rescored.append(finalists)
        return hill(finalists)

    chosen = Search(population=20, generations=3, sigma=0.3, check_every=9, optimizer="TwoPointsDE")
    asked: list[Numbers] = []

    def fitness(candidates: Numbers, generation: int) -> Numbers:
        asked.append(candidates)
        return noisy(candidates, generation)

    found = evolve(
        chosen, chosen.begin(np.zeros(6), 0), fitness=fitness, select=select,
        ledger=opened(tmp_path / "ledger"), report=lambda generation, row: None,
    )  # fmt: skip
    assert found is not None
    assert [len(finalists) for finalists in rescored] == [8]
    order = np.argsort(-noisy(asked[-1], 3))[:8]
    np.testing.assert_array_equal(rescored[0], asked[-1][order])
    assert found.select_score == hill(rescored[0]).max()


def test_where_all_is_luck_the_returned_score_claims_none(tmp_path: Path) -> None:
    """The winner's curse: the best of a lucky population looks good, the mean scored on other seeds does not."""
    claimed, luckiest = [], []
    for trial in range(60):
        rng = np.random.default_rng(trial)

        def luck(candidates: Numbers, generation: int, rng: np.random.Generator = rng) -> Numbers:
            scores = rng.standard_normal(len(candidates))
            luckiest.append(scores.max())
            return scores

        def select(finalists: Numbers, rng: np.random.Generator = rng) -> Numbers:
            return rng.standard_normal(len(finalists))

        chosen = settings(3)
        found = evolve(
            chosen, chosen.begin(np.zeros(6), trial), fitness=luck, select=select,
            ledger=opened(tmp_path / f"{trial}"), report=lambda generation, row: None,
        )  # fmt: skip
        assert found is not None
        claimed.append(found.select_score)
    assert abs(np.mean(claimed)) < 3.5 / np.sqrt(60)
    assert np.mean(luckiest) > 1


def test_a_fitness_that_is_no_number_ends_the_search_and_is_not_remembered(tmp_path: Path) -> None:
    def broken(candidates: Numbers, generation: int) -> Numbers:
        return np.full(len(candidates), np.nan) if generation == 3 else noisy(candidates, generation)

    with pytest.raises(UserError, match="no finite fitness"):
        search(tmp_path / "ledger", settings(), fitness=broken)
    assert len(opened(tmp_path / "ledger").generations) == 2
