import pytest

from wmframe.data.seeds import REPORT_SEEDS, draw_seeds, report_seeds


def test_the_streams_are_disjoint() -> None:
    train = draw_seeds("train", (0, "fitness", 3), 2000)
    select = draw_seeds("select", (0, "fitness", 3), 2000)
    report = report_seeds(0, 2000)
    assert len({*train, *select, *report}) == 6000
    assert REPORT_SEEDS.stop <= min(train) <= max(train) < min(select)
    assert max(select) < 2**32  # what torch's and NumPy's old generators take


def test_values_never_change() -> None:
    """They are in every published result's lineage."""
    assert draw_seeds("train", (0, "held", 1), 3) == [1537918919, 1237935808, 1950403937]
    assert draw_seeds("select", (7, "search"), 2) == [2968335145, 2172122970]
    assert report_seeds(5, 3) == [5, 6, 7]


def test_seeds_are_a_pure_function_of_the_path_and_a_longer_draw_begins_alike() -> None:
    assert draw_seeds("train", (1, "a", 2), 50)[:7] == draw_seeds("train", (1, "a", 2), 7)


@pytest.mark.parametrize("other", [(2, "a", 2), (1, "b", 2), (1, "a", 3), (1, "a", 2, 1), (1, "a")])
def test_another_path_draws_other_seeds(other: tuple[int | str, ...]) -> None:
    assert not set(draw_seeds("train", (1, "a", 2), 100)) & set(draw_seeds("train", other, 100))


def test_a_zero_at_the_end_of_a_path_counts() -> None:
    assert draw_seeds("train", (1, "a"), 3) != draw_seeds("train", (1, "a", 0), 3)


def test_seed_zero_is_a_seed() -> None:
    assert draw_seeds("train", (0, "a"), 3) != draw_seeds("train", (1, "a"), 3)
