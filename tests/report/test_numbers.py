import pytest

from wmframe.report.numbers import compact, decimals, duration, number, signed, significant


def test_decimals_follow_the_largest_number() -> None:
    assert [decimals(v) for v in ([412.0, 0.1], [-99.9], [3.2, -1], [])] == [0, 1, 2, 2]


def test_numbers_have_a_true_minus_and_no_negative_zero() -> None:
    assert [number(v, 1) for v in (-3.25, 0.04, -0.04, 12)] == ["−3.2", "0.0", "0.0", "12.0"]
    assert number(None) == "–"
    assert [signed(v) for v in (5.4, -5.4, 0.2, -0.2)] == ["+5", "−5", "0", "0"]


def test_an_axis_has_one_unit() -> None:
    assert compact([0, 2500, 5000]) == ["0", "2500", "5000"]
    assert compact([0, 5000, 10000]) == ["0", "5k", "10k"]
    assert compact([-2e6, 0, 500000]) == ["−2M", "0", "0.5M"]
    assert compact([0.001, 0.002]) == ["0.001", "0.002"]
    assert compact([]) == []


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.96, "10 s"),
        (59.7, "1 min"),
        (200, "3 min 20 s"),
        (7499, "2 h 5 min"),
        (3599.9, "1 h"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_an_unknown_duration_is_a_dash() -> None:
    assert duration(None) == duration(float("nan")) == "–"


def test_what_is_measured_is_shown_to_four_figures_whatever_its_size() -> None:
    shown: tuple[list[float], ...] = (
        [0.021853, 0.009],
        [1.5576],
        [40.25],
        [4000.0, 12.0],
        [4000.5],
        [1e-30],
        [0.0],
        [],
    )
    assert [significant(values) for values in shown] == [5, 3, 2, 0, 0, 12, 0, 0]
    assert number(0.021853, significant([0.021853])) == "0.02185"
