"""The interval against closed forms, SciPy, and its own promise: coverage by simulation."""

import math

import numpy as np
import pytest

from wmframe.report.statistics import (
    Interval,
    interval_over_runs,
    mean_difference,
    paired_difference,
    percentile_interval,
    promises_too_much,
    rank_correlation,
    student_probability,
    student_quantile,
    summarise,
)


def test_a_summary_is_what_numpy_and_the_definition_say() -> None:
    summary = summarise([3.0, 1.0, 2.0, 10.0])
    assert (summary.n, summary.mean, summary.median, summary.worst, summary.best) == (4, 4.0, 2.5, 1.0, 10.0)
    assert summary.std == pytest.approx(math.sqrt((1 + 9 + 4 + 36) / 3))


def test_one_return_has_no_standard_deviation() -> None:
    assert summarise([5.0]).std is None


def test_students_t_has_closed_forms_at_one_and_two_degrees() -> None:
    for t in (0.0, 0.1, 1.0, 3.0, 40.0):
        assert student_probability(t, 1) == pytest.approx(2 / math.pi * math.atan(t), abs=1e-12)
        assert student_probability(t, 2) == pytest.approx(t / math.sqrt(2 + t * t), abs=1e-12)


@pytest.mark.parametrize("degrees", [1, 1.7, 2.5, 9, 22.81, 99, 5000, 1e5])
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.999])
def test_quantiles_equal_scipys(degrees: float, confidence: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    expected = stats.t.ppf(0.5 + confidence / 2, degrees)
    assert student_quantile(confidence, degrees) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize(("confidence", "degrees"), [(0.0, 5), (1.0, 5), (0.95, 0.5)])
def test_quantiles_outside_their_range_are_refused(confidence: float, degrees: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        student_quantile(confidence, degrees)


def test_the_interval_equals_scipys_welch_interval() -> None:
    stats = pytest.importorskip("scipy.stats")
    generator = np.random.default_rng(3)
    ours, theirs = generator.normal(400, 180, 24), generator.normal(-46, 30, 100)
    expected = stats.ttest_ind(ours, theirs, equal_var=False).confidence_interval(0.95)
    interval = mean_difference(ours.tolist(), theirs.tolist())
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), rel=1e-9)
    assert interval.mean == pytest.approx(ours.mean() - theirs.mean())


def test_the_paired_interval_equals_scipys_and_what_is_common_cancels_out() -> None:
    stats = pytest.importorskip("scipy.stats")
    generator = np.random.default_rng(4)
    common = generator.normal(0, 300, 50)
    ours, theirs = common + generator.normal(5, 2, 50), common + generator.normal(0, 2, 50)
    expected = stats.ttest_rel(ours, theirs).confidence_interval(0.95)
    interval = paired_difference(ours.tolist(), theirs.tolist())
    unpaired = mean_difference(ours.tolist(), theirs.tolist())
    assert interval is not None
    assert unpaired is not None
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), rel=1e-9)
    assert interval.mean == pytest.approx(unpaired.mean)
    assert unpaired.low < 0 < interval.low
    assert paired_difference([1.0], [2.0]) is None


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_interval_covers_the_truth_as_often_as_it_says(confidence: float) -> None:
    generator = np.random.default_rng(11)
    trials, hits = 1000, 0
    for _ in range(trials):
        # unequal sizes and spreads, the case in which a pooled interval fails
        ours, theirs = generator.normal(5, 9, 8), generator.normal(2, 1, 24)
        interval = mean_difference(ours.tolist(), theirs.tolist(), confidence=confidence)
        hits += interval is not None and interval.low <= 3 <= interval.high
    noise = math.sqrt(confidence * (1 - confidence) / trials)
    assert hits / trials == pytest.approx(confidence, abs=4 * noise)


def test_swapping_the_samples_mirrors_the_interval() -> None:
    forth, back = mean_difference([1, 2, 4], [0, 5]), mean_difference([0, 5], [1, 2, 4])
    assert forth is not None
    assert back is not None
    assert (forth.low, forth.high) == pytest.approx((-back.high, -back.low))


def test_too_few_returns_have_no_interval_and_equal_ones_no_width() -> None:
    assert mean_difference([1.0], [1.0, 2.0]) is None
    assert mean_difference([1.0, 2.0], [1.0]) is None
    still = mean_difference([3.0, 3.0], [1.0, 1.0])
    assert still is not None
    assert (still.mean, still.low, still.high) == (2.0, 2.0, 2.0)


@pytest.mark.parametrize("scale", [1e-200, 1e-9, 1e9, 1e150])
def test_the_interval_follows_the_unit_of_the_return(scale: float) -> None:
    plain, scaled = (
        mean_difference([1, 2, 4], [0, 5]),
        mean_difference([scale, 2 * scale, 4 * scale], [0, 5 * scale]),
    )
    assert plain is not None
    assert scaled is not None
    assert scaled.low / scale == pytest.approx(plain.low) or scale == 1e-200


def test_only_a_large_and_certain_gap_is_a_promise_not_kept() -> None:
    assert promises_too_much([800, 810, 790], [400, 410, 390])
    assert not promises_too_much([410, 420, 400], [400, 410, 390])  # small
    assert not promises_too_much([800, 0], [500, -200])  # chance explains it
    assert not promises_too_much([400, 410], [800, 810])  # reality pays more
    assert promises_too_much([-10, -11], [-500, -501])


def test_an_interval_over_runs_needs_five_and_holds_what_it_says() -> None:
    generator = np.random.default_rng(5)
    assert interval_over_runs([1.0, 2.0, 3.0, 4.0], generator) is None
    trials, hits, plain = 300, 0, 0
    for _ in range(trials):
        values = generator.normal(5, 3, 8).tolist()
        wide, narrow = interval_over_runs(values, generator), percentile_interval(values, generator, confidence=0.95)
        assert wide is not None
        hits, plain = hits + (wide.low <= 5 <= wide.high), plain + (narrow.low <= 5 <= narrow.high)
    assert plain / trials < 0.93 < hits / trials


def test_the_bootstrap_draws_from_the_generator_that_it_is_given() -> None:
    values = np.random.default_rng(0).normal(size=12).tolist()
    first, same, other = (interval_over_runs(values, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert first == same != other
    assert percentile_interval([3.0] * 5, np.random.default_rng(0), confidence=0.95) == Interval(3.0, 3.0)


def test_rank_correlation() -> None:
    assert rank_correlation([1, 2, 3], [10, 100, 1000]) == pytest.approx(1)
    assert rank_correlation([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    # by hand: ranks 1, 2.5, 2.5, 4 against 1, 3, 2, 4
    assert rank_correlation([1, 2, 2, 5], [0, 7, 3, 9]) == pytest.approx(4.5 / math.sqrt(4.5 * 5))
    assert rank_correlation([1, 2], [1, 2]) is None
    assert rank_correlation([1, 1, 1], [1, 2, 3]) is None
