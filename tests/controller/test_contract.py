"""What every C must do, run over all of them."""

from collections.abc import Callable

import pytest
import torch

from wmframe.controller.choosing import Choosing
from wmframe.controller.contract import Controller
from wmframe.controller.hidden import Hidden
from wmframe.controller.linear import Linear

Z, H, A = 3, 4, 2
KINDS: dict[str, Callable[[], Controller]] = {
    "linear, z": lambda: Linear(latent_size=Z, hidden_size=H, action_size=A, senses="z"),
    "linear, zh": lambda: Linear(latent_size=Z, hidden_size=H, action_size=A),
    "linear, zhc, no bias": lambda: Linear(latent_size=Z, hidden_size=H, action_size=A, senses="zhc", bias=False),
    "linear, no memory": lambda: Linear(latent_size=Z, hidden_size=0, action_size=1),
    "linear, choosing": lambda: Choosing(of=Linear(latent_size=Z, hidden_size=H, action_size=A)),
    "hidden, z": lambda: Hidden(latent_size=Z, hidden_size=0, action_size=A, units=5),
    "hidden, zhc": lambda: Hidden(latent_size=Z, hidden_size=H, action_size=A, units=1, senses="zhc"),
}


@pytest.fixture(params=KINDS)
def controller(request: pytest.FixtureRequest) -> Controller:
    return KINDS[request.param]()


@pytest.mark.parametrize(("population", "rollouts"), [(1, 1), (1, 7), (6, 1), (5, 3), (64, 16)])
def test_a_population_acts_as_each_candidate_would_alone(
    controller: Controller, population: int, rollouts: int
) -> None:
    chance = torch.Generator().manual_seed(0)
    parameters = torch.randn(population, controller.size, generator=chance)
    seen = torch.randn(population, rollouts, controller.feature_size, generator=chance)
    actions = controller.act(parameters, seen)
    assert actions.shape == (population, rollouts, controller.action_size)
    assert actions.dtype == torch.float32
    alone = torch.stack(
        [
            torch.cat([controller.act(parameters[p : p + 1], seen[p : p + 1, r : r + 1])[0] for r in range(rollouts)])
            for p in range(population)
        ]
    )
    torch.testing.assert_close(actions, alone, rtol=0, atol=1e-6)


def test_it_acts_by_the_likeliest_action_of_its_kind(controller: Controller) -> None:
    chance = torch.Generator().manual_seed(0)
    parameters = 100 * torch.randn(20, controller.size, generator=chance)
    seen = torch.randn(20, 4, controller.feature_size, generator=chance)
    actions = controller.act(parameters, seen)
    assert torch.equal(actions, controller.actions.mode(controller.say(parameters, seen)))
    assert torch.equal(controller.actions.nearest(actions), actions)
    assert actions.abs().max() <= 1
    assert (actions != actions[:1, :1]).any()


def test_zeros_say_zeros(controller: Controller) -> None:
    seen = torch.ones(1, 2, controller.feature_size)
    assert (controller.say(torch.zeros(1, controller.size), seen) == 0).all()


def test_every_parameter_matters(controller: Controller) -> None:
    chance = torch.Generator().manual_seed(0)
    parameters = torch.randn(1, controller.size, generator=chance, requires_grad=True)
    actions = controller.act(parameters, torch.randn(1, 5, controller.feature_size, generator=chance))
    (actions * torch.randn(controller.action_size, generator=chance)).sum().backward()  # type: ignore[no-untyped-call]
    assert parameters.grad is not None
    assert (parameters.grad != 0).all()
