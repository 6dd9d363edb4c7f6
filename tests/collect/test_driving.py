from collections import Counter
from dataclasses import replace

import pytest
import torch

from tests.collect.toys import collect, driver, setting
from tests.worlds.toys import H, Z
from wmframe.collect.driving import Driving
from wmframe.collect.exploration import Exploration


def driving(epsilons: list[float], *, episodes: int = 48, parameter_noise: float = 0.5) -> Driving:
    return Driving(episodes=episodes, parameter_noise=parameter_noise, exploration=Exploration(epsilons=epsilons))


@pytest.mark.parametrize("epsilons", [[0.1], [0.15, 0.4], [0.0, 0.1, 0.2], [0.0, 0.1, 0.2, 0.3]])
def test_half_are_perturbed_and_every_epsilon_meets_both_halves(epsilons: list[float]) -> None:
    with setting() as where:
        policies = Counter(collect(driving(epsilons), where)[0].policies)
    kinds = {f"driver_{kind}_{epsilon:g}" for kind in ("mean", "perturbed") for epsilon in epsilons}
    assert policies == dict.fromkeys(kinds, 48 // len(kinds))


def test_what_is_called_perturbed_is_and_what_is_called_mean_is_not() -> None:
    with setting() as where:
        batch = next(driving([0.0]).batches(where))
        seen = torch.randn(1, Z + H, generator=torch.Generator().manual_seed(1)).expand(48, -1) / 5
        actions = batch.act(seen.contiguous())[:, 0]
    agent = driver()
    own = agent.controller.act(agent.parameters[None], seen[None, :1]).item()
    for action, policy in zip(actions.tolist(), batch.policies, strict=True):
        assert (abs(action - own) < 1e-6) is policy.startswith("driver_mean")


def test_episodes_explore_as_much_as_they_are_named_after() -> None:
    source = driving([0.1, 0.4], parameter_noise=0.0)
    with setting() as where:
        batch = next(source.batches(where))
        seen = torch.zeros(48, Z + H)
        actions = torch.cat([batch.act(seen) for _ in range(4000)], 1)
    own = driver().act()(torch.zeros(1, Z + H)).item()
    explored = ((actions - own).abs() > 1e-6).float().mean(1)
    for policy in set(batch.policies):
        lanes = [lane for lane, named in enumerate(batch.policies) if named == policy]
        assert explored[lanes].mean().item() == pytest.approx(float(policy.rsplit("_", 1)[1]), rel=0.2)


def test_without_a_driver_there_are_no_episodes() -> None:
    with setting(driven=False) as where:
        assert collect(driving([0.1]), where) == []


def test_episodes_may_be_cut_short() -> None:
    source = Driving(episodes=3, exploration=Exploration(epsilons=[0.0]), most_steps=2)
    with setting() as where:
        assert collect(source, where)[0].actions.shape[0] == 2


def test_it_says_where_its_driver_learned() -> None:
    with setting() as where:
        assert where.driver is not None
        assert driving([0.0]).origin(where) == "dream-trained driver"
        assert driving([0.0]).origin(replace(where, round=1)) == "driver from elsewhere"
        awake = replace(where, driver=replace(where.driver, dreamt=False))
        assert driving([0.0]).origin(awake) == "track-trained driver"
