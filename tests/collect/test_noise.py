import numpy as np
import pytest
import torch
from torch import Tensor

from wmframe.collect.noise import Noise


def drawn(noise: Noise, deviations: list[float], seeds: list[int], *, steps: int = 4000, at: float = 0.0) -> Tensor:
    """The noisy actions (steps, lanes, 2) of a policy that always does `at`."""
    chances = [np.random.default_rng(seed) for seed in seeds]
    act = noise.disturb(lambda features: torch.full((len(features), 2), at), deviations, chances)
    return torch.stack([act(torch.zeros(len(seeds), 1)) for _ in range(steps)])


def test_each_lane_has_its_own_deviation_and_luck() -> None:
    actions = drawn(Noise(deviations=[0.0]), [0.0, 0.1, 0.1, 0.1], [1, 2, 2, 3])
    assert (actions[:, 0] == 0).all()
    assert torch.equal(actions[:, 1], actions[:, 2])
    assert not torch.equal(actions[:, 1], actions[:, 3])


@pytest.mark.parametrize("correlation", [0.0, 0.9])
def test_a_step_deviates_as_much_whatever_the_correlation_with_the_last(correlation: float) -> None:
    noise = Noise(deviations=[0.1], correlation=correlation)
    actions = drawn(noise, [0.1] * 8, list(range(8)))[:, :, 0]
    assert actions.std().item() == pytest.approx(0.1, rel=0.05)
    together = (actions[1:] * actions[:-1]).mean() / actions.square().mean()
    assert together.item() == pytest.approx(correlation, abs=0.03)


def test_the_first_step_deviates_too() -> None:
    firsts = drawn(Noise(deviations=[0.2]), [0.2] * 400, list(range(400)), steps=1)
    assert firsts.std().item() == pytest.approx(0.2, rel=0.1)


def test_actions_stay_within_bounds() -> None:
    actions = drawn(Noise(deviations=[2.0]), [2.0], [0], steps=50, at=1.0)
    assert actions.max() == 1
    assert actions.min() >= -1
    assert (actions < 1).any()


def test_deviations_are_dealt_out_in_turn() -> None:
    noise = Noise(deviations=[0.1, 0.2, 0.3])
    assert [noise.deviation(place) for place in range(5)] == [0.1, 0.2, 0.3, 0.1, 0.2]
