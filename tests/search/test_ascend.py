from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor

from wmframe.engine.errors import UserError
from wmframe.search.ascend import Ascent
from wmframe.search.settings import GradientSearch

SUMMIT = torch.tensor([0.5, -1.0, 2.0])
CPU = torch.device("cpu")


def hill(at: Tensor) -> Tensor:
    """Four dreams, whose mean is highest, at 7, on the summit."""
    return 7.0 - (at - SUMMIT).square().sum() + torch.tensor([-1.5, -0.5, 0.5, 1.5])


def ascent(weight_penalty: float = 0.0) -> Ascent:
    search = GradientSearch(updates=300, learning_rate=0.05, final_learning_rate=0.01, weight_penalty=weight_penalty)
    return Ascent(search, torch.zeros(3).double().numpy(), CPU)


def of_three(updates: int = 300) -> Ascent:
    search = GradientSearch(updates=updates, learning_rate=0.05, final_learning_rate=0.01, climbs=3)
    return Ascent(search, torch.zeros(3).double().numpy(), CPU)


def test_it_climbs_to_the_summit_and_says_how_high_it_stands() -> None:
    climbing = ascent()
    rows = [climbing.update(hill) for _ in range(300)]
    np.testing.assert_allclose(climbing.found, SUMMIT, atol=1e-2, rtol=0)
    assert rows[0] == pytest.approx(
        {"controller/dreamt_return": 7 - 5.25, "controller/gradient_norm": 2 * 5.25**0.5}, rel=1e-5
    )
    assert rows[-1]["controller/dreamt_return"] == pytest.approx(7.0, abs=1e-3)


def test_a_penalty_holds_it_where_the_slope_is_no_longer_worth_the_weights() -> None:
    climbing = ascent(weight_penalty=3.0)  # -|w - s|² - 3 |w|² is highest at s / 4
    for _ in range(300):
        climbing.update(hill)
    np.testing.assert_allclose(climbing.found, SUMMIT / 4, atol=1e-2, rtol=0)


@pytest.mark.parametrize(
    ("search", "name"),
    [
        (GradientSearch(), "return"),
        (GradientSearch(risk_tolerance=1.0), "worth"),
        (GradientSearch(value_weight=0.5), "worth"),
    ],
)
def test_what_is_climbed_is_called_what_it_is(search: GradientSearch, name: str) -> None:
    climbing = Ascent(search, torch.zeros(3).double().numpy(), CPU)
    assert set(climbing.update(hill)) == {f"controller/dreamt_{name}", "controller/gradient_norm"}


@pytest.mark.parametrize(("climbs", "broken_off"), [(1, 1), (1, 40), (3, 5), (3, 20), (3, 33)])
def test_from_its_state_it_goes_on_to_the_same_bits(climbs: int, broken_off: int) -> None:
    whole, first, resumed = ((ascent() if climbs == 1 else of_three(20)) for _ in range(3))
    for _ in range(60):
        whole.update(hill)
    for _ in range(broken_off):
        first.update(hill)
    resumed.restore(first.state())
    while resumed.updates < 60:
        resumed.update(hill)
    assert (whole.found == resumed.found).all()
    assert whole.update(hill) == resumed.update(hill)


def test_of_several_climbs_the_mean_is_found() -> None:
    climbing, summits = of_three(), [SUMMIT, SUMMIT + 1.5, SUMMIT - 3.0]
    for number in range(900):
        moved = summits[number // 300] - SUMMIT
        climbing.update(partial(lambda moved, at: hill(at - moved), moved))
        if number == 599:
            np.testing.assert_allclose(climbing.found, SUMMIT + 0.75, atol=2e-2, rtol=0)
    np.testing.assert_allclose(climbing.found, SUMMIT - 0.5, atol=2e-2, rtol=0)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_a_return_that_is_no_number_is_refused_and_nothing_moves(wrong: float) -> None:
    climbing = ascent()
    with pytest.raises(UserError, match="update 1 met a return"):
        climbing.update(lambda at: hill(at) * wrong)
    assert not climbing.found.any()
    assert climbing.updates == 0


def test_dreams_without_a_gradient_are_refused() -> None:
    with pytest.raises(UserError, match="no gradient, so nothing can climb"):
        ascent().update(lambda at: hill(at.detach()))


def test_steps_are_as_long_as_the_learning_rate_at_first_whatever_the_gradient() -> None:
    climbing = ascent()
    climbing.update(lambda at: 1e6 * hill(at))
    np.testing.assert_allclose(np.abs(climbing.found), 0.05, rtol=1e-3)
