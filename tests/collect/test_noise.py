import numpy as np
import torch

from wmframe.collect.noise import noisy


def chances(seeds: list[int]) -> list[np.random.Generator]:
    return [np.random.default_rng(seed) for seed in seeds]


def test_each_lane_has_its_own_deviation_and_luck() -> None:
    act = noisy(lambda features: torch.zeros(len(features), 2), [0.0, 0.1, 0.1, 0.1], chances([1, 2, 2, 3]))
    drawn = torch.stack([act(torch.zeros(4, 1)) for _ in range(500)])
    assert (drawn[:, 0] == 0).all()
    assert torch.equal(drawn[:, 1], drawn[:, 2])
    assert not torch.equal(drawn[:, 1], drawn[:, 3])
    assert abs(drawn[:, 1].std().item() - 0.1) < 0.01


def test_actions_stay_within_bounds() -> None:
    act = noisy(lambda features: torch.ones(len(features), 3), [2.0], chances([0]))
    drawn = torch.stack([act(torch.zeros(1, 1)) for _ in range(50)])
    assert drawn.max() == 1
    assert drawn.min() >= -1
    assert (drawn < 1).any()
