import warnings

import numpy as np
import numpy.typing as npt
import pytest

from wmframe.engine.errors import UserError
from wmframe.search.settings import Search
from wmframe.search.strategy import CMA, Strategy, fingerprint, optimizers

Numbers = npt.NDArray[np.float64]
GOAL = np.array([1.0, -0.5, 0.3, 0.0, 0.7, -1.2])
SUITABLE = [CMA, "TBPSA", "PSO", "TwoPointsDE", "RandomSearch", "RecMixES", "OnePlusOne"]


def begin(
    optimizer: str = CMA, *, population: int = 12, seed: int = 0, diagonal: bool = False, start: Numbers | None = None
) -> Strategy:
    return Strategy(
        optimizer=optimizer,
        population=population,
        sigma=0.3,
        diagonal=diagonal,
        start=np.zeros(6) if start is None else start,
        seed=seed,
    )


def hill(candidates: Numbers) -> Numbers:
    """A concave function: 0 at the goal, less anywhere else, flat far away."""
    height: Numbers = -np.minimum(np.square(candidates - GOAL).sum(1), 1e6)
    return height


def run(strategy: Strategy, generations: int) -> list[Numbers]:
    asked = []
    for _ in range(generations):
        asked.append(strategy.ask())
        strategy.tell(hill(asked[-1]))
    return asked


@pytest.mark.parametrize("optimizer", SUITABLE)
def test_a_population_is_as_large_as_was_asked_and_better_is_more(optimizer: str) -> None:
    strategy = begin(optimizer)
    asked = run(strategy, 40)
    assert {generation.shape for generation in asked} == {(12, 6)}
    assert all(len(np.unique(generation, axis=0)) > 6 for generation in asked)
    best = [hill(generation).max() for generation in asked]
    assert max(best) > hill(np.zeros((1, 6)))[0] - 0.5  # no climb away from the goal: the sign is right
    if optimizer not in {"RandomSearch", "TBPSA", "PSO"}:  # these three are slow on so little
        assert np.mean(best[-5:]) > np.mean(best[:5])


@pytest.mark.parametrize("diagonal", [False, True])
def test_cma_finds_the_top(diagonal: bool) -> None:
    strategy = begin(diagonal=diagonal)
    run(strategy, 60)
    mean = strategy.mean()
    assert mean is not None
    np.testing.assert_allclose(mean, GOAL, atol=0.05)


@pytest.mark.parametrize("population", [3, 5, 64])
def test_cma_takes_any_population(population: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        strategy = begin(population=population)
        asked = run(strategy, 12)
    assert {len(generation) for generation in asked} == {population}
    mean = strategy.mean()
    assert mean is not None
    assert hill(mean[None])[0] > hill(np.zeros((1, 6)))[0] - 0.5


@pytest.mark.parametrize("optimizer", SUITABLE)
def test_equal_seeds_ask_for_equal_candidates(optimizer: str) -> None:
    one, same, other = (np.stack(run(begin(optimizer, seed=seed), 5)) for seed in (0, 0, 1))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_the_mean_is_that_of_the_distribution_and_not_the_luckiest_sample() -> None:
    strategy = begin(population=400, start=GOAL + 5)
    asked = run(strategy, 3)
    mean = strategy.mean()
    assert mean is not None
    following = strategy.ask()
    spread = following.std(0) / np.sqrt(400)
    assert (np.abs(following.mean(0) - mean) < 5 * spread).all()
    luckiest = asked[-1][hill(asked[-1]).argmax()]
    assert np.abs(luckiest - mean).max() > 0.1


def test_sigma_is_the_spread_around_the_start() -> None:
    first = begin(population=2000, start=np.full(6, 7.0)).ask()
    np.testing.assert_allclose(first.mean(0), 7.0, atol=0.05)
    np.testing.assert_allclose(first.std(0), 0.3, rtol=0.1)


@pytest.mark.parametrize("flat", [2, 12])
def test_flat_generations_do_not_start_the_search_over(flat: int) -> None:
    strategy = begin()
    run(strategy, 25)
    before = strategy.mean()
    assert before is not None
    for _ in range(flat):
        strategy.ask()
        strategy.tell(np.zeros(12))
    after = strategy.mean()
    assert after is not None
    # What a restart brings back is the start, which lies this far away.
    assert np.linalg.norm(after - before) < 0.5 * np.linalg.norm(before)
    assert not np.array_equal(after, before)
    asked = strategy.ask()
    assert np.linalg.norm(asked.mean(0) - after) < np.linalg.norm(asked.mean(0))
    strategy.tell(hill(asked))
    run(strategy, 25)
    mean = strategy.mean()
    assert mean is not None
    np.testing.assert_allclose(mean, GOAL, atol=0.1)


def test_converged_it_goes_on_where_it_stands() -> None:
    strategy = begin()
    run(strategy, 260)  # far below every tolerance at which pycma would stop
    mean = strategy.mean()
    assert mean is not None
    np.testing.assert_allclose(mean, GOAL, atol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("optimizer", [CMA, "PSO"])
def test_a_fitness_that_is_no_number_is_refused_with_a_way_out(optimizer: str, bad: float) -> None:
    strategy = begin(optimizer)
    strategy.ask()
    fitness = np.zeros(12)
    fitness[3] = bad
    with pytest.raises(UserError, match=r"1 of 12 candidates of generation 0 .*memory\.learning_rate") as caught:
        strategy.tell(fitness)
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("name", ["CMA", "NGOpt", "Shiwa"])
def test_a_name_that_stands_for_another_algorithm_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=f"{name} is a name under which .* by budget and workers.*{CMA}, TBPSA"):
        begin(name)


@pytest.mark.parametrize("name", ["CMAstd", "DiagonalCMA", "VLPCMA", "OldCMA"])
def test_a_cma_that_restarts_silently_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=f"{name} is CMA-ES that silently starts over.*{CMA}"):
        begin(name)


@pytest.mark.parametrize("name", ["SPSA", "Cobyla", "NelderMead"])
def test_an_optimizer_without_populations_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=f"{name} asks for one candidate at a time.*{CMA}"):
        begin(name)


@pytest.mark.parametrize("name", ["BAR", "MultiCMA", "ScrHammersleySearch"])
def test_an_optimizer_that_wants_a_budget_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=f"{name} cannot search here with a population of 12.*{CMA}"):
        begin(name).ask()


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UserError, match=r"TwoPointDE is not among .* TwoPointsDE"):
        begin("TwoPointDE")


def test_what_may_be_named_is_listed() -> None:
    names = set(optimizers())
    assert names >= set(SUITABLE)
    assert not names & {"CMA", "NGOpt", "CMAstd", "SPSA"}


def test_a_fingerprint_tells_candidates_apart_to_the_bit() -> None:
    candidates = np.arange(6.0).reshape(2, 3)
    assert fingerprint(candidates) == fingerprint(candidates.copy())
    assert fingerprint(candidates) == fingerprint(np.asfortranarray(candidates))
    changed = candidates.copy()
    changed[1, 2] = np.nextafter(5.0, 6)
    assert fingerprint(candidates) != fingerprint(changed)


def test_settings_begin_what_they_describe() -> None:
    asked = Search(population=7, sigma=2.0, optimizer="TwoPointsDE").begin(np.full(3, 100.0), 5).ask()
    assert asked.shape == (7, 3)
    first = Search(population=7, sigma=2.0).begin(np.full(3, 100.0), 5).ask()
    assert 0.5 < (first - 100).std() < 5
