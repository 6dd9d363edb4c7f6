import numpy as np
import pytest
import torch
from torch import Tensor

from wmframe.collect.exploration import Exploration
from wmframe.envs.actions import ACTIONS


def drawn(epsilons: list[float], seeds: list[int], *, steps: int = 4000, hold: float = 12.0) -> Tensor:
    """The actions (steps, lanes, 2) of a policy that always does 0.123, explored."""
    chances = [np.random.default_rng(seed) for seed in seeds]
    source = Exploration(epsilons=[0.0], hold=hold)
    act = source.explore(lambda features: torch.full((len(features), 2), 0.123), epsilons, chances, ACTIONS["box"])
    return torch.stack([act(torch.zeros(len(seeds), 1)) for _ in range(steps)])


def test_a_choice_is_taken_as_a_whole_and_held_at_any() -> None:
    own = torch.tensor([[1.0, 0.0, 0.0]])
    act = Exploration(epsilons=[0.5], hold=4).explore(
        lambda _: own, [0.5], [np.random.default_rng(0)], ACTIONS["discrete"]
    )
    done = torch.cat([act(torch.zeros(1, 1)) for _ in range(4000)])
    assert (done.sum(1) == 1).all()
    share = done.mean(0)
    torch.testing.assert_close(share, torch.tensor([0.5 + 0.5 / 3, 0.5 / 3, 0.5 / 3]), atol=0.06, rtol=0)
    assert (done[1:] == done[:-1]).all(1).double().mean() > 0.7  # held


def explored(actions: Tensor) -> Tensor:
    return actions != torch.tensor(0.123)


def test_each_lane_has_its_own_share_and_luck() -> None:
    actions = drawn([0.0, 0.3, 0.3, 0.3], [1, 2, 2, 3], steps=400)
    assert not explored(actions[:, 0]).any()
    assert torch.equal(actions[:, 1], actions[:, 2])
    assert not torch.equal(actions[:, 1], actions[:, 3])


@pytest.mark.parametrize("epsilon", [0.1, 0.5, 0.9])
def test_a_share_is_kept_from_the_first_step_on(epsilon: float) -> None:
    taken = explored(drawn([epsilon] * 2000, list(range(2000)), steps=20)).float().mean((1, 2))
    assert taken[0].item() == pytest.approx(epsilon, abs=0.04)
    assert taken[-1].item() == pytest.approx(epsilon, abs=0.04)


@pytest.mark.parametrize("hold", [1.0, 5.0, 20.0])
def test_values_are_held(hold: float) -> None:
    component = drawn([0.2] * 4, [0, 1, 2, 3], hold=hold)[:, :, 0]
    taken = explored(component)
    begun = taken[1:] & (component[1:] != component[:-1])
    assert (taken[1:].sum() / begun.sum()).item() == pytest.approx(hold, rel=0.2)


def test_components_are_taken_one_by_one() -> None:
    taken = explored(drawn([0.5] * 4, [0, 1, 2, 3])).float()
    assert taken.prod(-1).mean().item() == pytest.approx(0.25, abs=0.03)


def test_a_third_of_the_values_are_full_stops() -> None:
    actions = drawn([0.9] * 4, [0, 1, 2, 3], hold=1.0)
    values = actions[explored(actions)]
    assert values.abs().max() == 1
    assert (values == 1).float().mean().item() == pytest.approx(1 / 6, abs=0.02)
    assert (values == -1).float().mean().item() == pytest.approx(1 / 6, abs=0.02)


def test_shares_are_dealt_out_in_turn() -> None:
    source = Exploration(epsilons=[0.0, 0.3])
    assert source.dealt(3) == [0.0, 0.3, 0.0]
