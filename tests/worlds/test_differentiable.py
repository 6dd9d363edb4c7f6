"""The dream with a gradient is the dream: the same luck pays the same."""

import math
from collections.abc import Sequence

import pytest
import torch

from tests.worlds.pursuit import SeenAndDone
from tests.worlds.toys import A, H, Z, dream, memory, start_states
from wmframe.controller.hidden import Hidden
from wmframe.controller.linear import Linear
from wmframe.memory.contract import Memory
from wmframe.memory.mixture import Mixture
from wmframe.memory.prediction import Prediction
from wmframe.memory.rules import Reparameterization, Senses
from wmframe.memory.state import Noise, NoiseSize, State
from wmframe.worlds.differentiable import DifferentiableDream, utility
from wmframe.worlds.dream import Dream
from wmframe.worlds.rollout import population_returns
from wmframe.worlds.rules import DoneRule
from wmframe.worlds.starts import StartStates

SEEDS = list(range(40))


def linear(senses: Senses = "zh") -> Linear:
    return Linear(latent_size=Z, hidden_size=H, action_size=A, senses=senses)


def parameters(controller: Linear | Hidden) -> torch.Tensor:
    return torch.randn(controller.size, generator=torch.Generator().manual_seed(3))


def both(world: Dream, controller: Linear | Hidden, seeds: Sequence[int] = SEEDS) -> tuple[torch.Tensor, torch.Tensor]:
    found = parameters(controller)
    paid = population_returns(world, controller, found[None], seeds)[0].float()
    return paid, world.differentiable().returns(controller, found, seeds, horizon=world.horizon)


@pytest.mark.parametrize("senses", ["z", "zh", "zhc"])
@pytest.mark.parametrize("temperature", [0.3, 1.3])
def test_without_ends_it_pays_what_the_dream_pays(senses: Senses, temperature: float) -> None:
    world = dream(senses=senses, temperature=temperature, done_rule="never")
    torch.testing.assert_close(*both(world, linear(senses)), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("rule", ["threshold", "never"])
@pytest.mark.parametrize("done_bias", [-2.0, 0.0])
def test_with_a_certain_end_and_a_value_too(rule: DoneRule, done_bias: float) -> None:
    of = memory(done_bias=done_bias, value_steps=3)
    world = dream(of=of, done_rule=rule, bootstrap=True)
    paid, found = both(world, linear())
    torch.testing.assert_close(paid, found, rtol=1e-4, atol=1e-4)
    if rule == "threshold" and done_bias == 0.0:
        assert (paid != both(dream(of=of, done_rule="never", bootstrap=True), linear())[0]).any(), "no dream ended"


def test_a_hidden_layer_has_a_gradient_as_well() -> None:
    controller = Hidden(latent_size=Z, hidden_size=H, action_size=A, units=5, senses="zh")
    torch.testing.assert_close(*both(dream(done_rule="never"), controller), rtol=1e-4, atol=1e-4)
    found = parameters(controller).requires_grad_()
    dream().differentiable().returns(controller, found, SEEDS, horizon=4).mean().backward()  # type: ignore[no-untyped-call]
    assert found.grad is not None
    assert (found.grad != 0).all()


def test_an_end_that_is_drawn_is_weighed_by_how_likely_it_is() -> None:
    of, controller = memory(done_bias=-1.0, value_steps=3), linear()
    world = dream(of=of, done_rule="sample", bootstrap=True, horizon=5)
    paid, found = both(world, controller, list(range(4000)))
    standard_error = float((paid - found).std() / 4000**0.5)
    assert abs(float((paid - found).mean())) < 4 * standard_error
    assert standard_error > 0
    assert (paid != found).float().mean() > 0.5, "hardly any dream ended"


def test_its_gradient_is_that_of_its_returns() -> None:
    """Against finite differences in float64; the Gaussians chosen by luck stay the same in between."""
    of = memory(done_bias=-2.0, value_steps=3).double()
    noise = start_states()
    packed = {name: tensor.double() for name, tensor in noise.packed.items()}
    starts = StartStates(noise.mu.double(), noise.logvar.double(), packed)
    world = dream(of=of, starts=starts, bootstrap=True).differentiable()
    controller = linear()
    assert torch.autograd.gradcheck(
        lambda found: world.returns(controller, found, SEEDS[:6], horizon=4),
        parameters(controller).double().mul(0.3).requires_grad_(),
    )


class Choosing(Memory):
    """An M that pays the z it is at, and whose action moves the weights of its two Gaussians, at ±1, alone."""

    def __init__(self) -> None:
        super().__init__()
        self.latent_size, self.action_size, self.hidden_size = 1, 1, 2
        self.imagining = NoiseSize(uniform=1, normal=1)
        self.nothing = torch.nn.Parameter(torch.zeros(1))

    def initial(self, batch: int) -> SeenAndDone:
        return SeenAndDone(torch.zeros(batch, 1), torch.zeros(batch, 2))

    def advance(self, state: State, action: torch.Tensor) -> SeenAndDone:
        return SeenAndDone(state.z, torch.cat((state.z, action), -1))

    def imagine(
        self, state: State, noise: Noise, temperature: float, reparameterization: Reparameterization = "component"
    ) -> tuple[Prediction, State]:
        z, action = SeenAndDone.of(state).h.unbind(-1)
        logits = torch.stack((-2 * action, 2 * action), -1)[..., None]
        mean = torch.tensor([[-1.0], [1.0]]).expand_as(logits)
        latent = Mixture.of(logits, mean, torch.zeros_like(logits))
        draw = {"component": latent.sample, "implicit": latent.implicit_sample}[reparameterization]
        said = Prediction(latent, z, torch.full_like(z, -20.0))
        return said, state.but(z=draw(noise.uniform, noise.normal, temperature))

    def hidden(self, state: State) -> torch.Tensor:
        return SeenAndDone.of(state).h


def test_an_implicit_gradient_knows_that_actions_choose_among_gaussians() -> None:
    """Two steps pay z and z', E z' = tanh 2a: its slope is 2 / cosh² 2a, of which the Gaussian chosen shows nothing."""
    seeds = list(range(60_000))
    starts = StartStates(torch.zeros(1, 1), torch.full((1, 1), -20.0), {"h": torch.zeros(1, 2)})
    world = dream(of=Choosing(), starts=starts, senses="z", done_rule="never")
    controller = Linear(latent_size=1, hidden_size=0, action_size=1, senses="z")
    found = torch.zeros(controller.size, requires_grad=True)  # a = tanh(w z + b) = 0

    def slope(reparameterization: Reparameterization) -> torch.Tensor:
        differentiable = world.differentiable(reparameterization=reparameterization)
        paid = differentiable.returns(controller, found, seeds, horizon=2).mean()
        (gradient,) = torch.autograd.grad(paid, [found])
        return gradient

    # z is 0 at the first step, so only the bias matters there; what the second action chooses comes too late.
    assert float(slope("implicit").sum()) == pytest.approx(2.0, rel=0.03)
    assert float(slope("component").abs().sum()) == 0.0


def test_both_gradients_are_of_the_same_dreams() -> None:
    of, controller = memory(done_bias=-2.0, value_steps=3), linear()
    world, found = dream(of=of, bootstrap=True), parameters(linear())
    component, implicit = (
        world.differentiable(reparameterization=kind).returns(controller, found, SEEDS, horizon=5)
        for kind in ("component", "implicit")
    )
    assert torch.equal(component, implicit)


def test_a_risk_tolerance_makes_steady_pay_worth_more_than_the_same_pay_at_once() -> None:
    steady, at_once = utility(torch.tensor([[3.0, 3.0], [0.0, 6.0]]), 1.0).sum(1)
    assert steady > at_once
    # A high tolerance minds nothing: ρ (1 - exp(-r/ρ)) = r - r²/2ρ + …
    pay = torch.linspace(-8.0, 8.0, 33)
    torch.testing.assert_close(utility(pay, 1e4), pay, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("tolerance", [0.5, 2.0])
def test_its_slope_is_bounded_and_nowhere_jumps(tolerance: float) -> None:
    pay = torch.linspace(-100.0, 20.0, 4001, dtype=torch.float64, requires_grad=True)
    worth = utility(pay, tolerance)
    (slope,) = torch.autograd.grad(worth.sum(), pay)
    expected = (-pay / tolerance).exp().clamp(max=math.exp(3))
    torch.testing.assert_close(slope, expected.detach())
    step = 120.0 / 4000
    risen, between = worth.diff(), (slope[1:] + slope[:-1]) * step / 2
    torch.testing.assert_close(risen, between, rtol=1e-3, atol=1e-2)  # the slope has a kink


def test_with_one_a_dream_is_what_its_steps_and_its_value_are_worth() -> None:
    of, controller = memory(value_steps=3), linear()
    world, plain = dream(of=of, bootstrap=True, done_rule="never"), dream(of=of, done_rule="never")
    found = parameters(controller)

    def paid(of: DifferentiableDream, horizon: int) -> torch.Tensor:
        return of.returns(controller, found, SEEDS, horizon=horizon)

    # Luck is drawn ahead for a horizon, so dreams of one step alone can be taken apart.
    pay = paid(plain.differentiable(), 1)
    value = paid(world.differentiable(), 1) - pay
    worth = paid(world.differentiable(risk_tolerance=0.7, value_weight=0.2), 1)
    torch.testing.assert_close(worth, utility(pay, 0.7) + 0.2 * value, rtol=1e-4, atol=1e-4)
    assert (worth != paid(world.differentiable(), 1)).all()


def test_m_keeps_its_weights_and_gets_no_gradient() -> None:
    of, controller = memory(value_steps=3), linear()
    found = parameters(controller).requires_grad_()
    dream(of=of).differentiable().returns(controller, found, SEEDS, horizon=4).mean().backward()  # type: ignore[no-untyped-call]
    assert all(weight.grad is None for weight in of.parameters())
