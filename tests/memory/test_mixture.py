import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Categorical, MixtureSameFamily, Normal

from wmframe.memory.mixture import Mixture


def some_mixture(*shape: int, seed: int = 0) -> Mixture:
    chance = torch.Generator().manual_seed(seed)
    logits, mean, log_std = (torch.randn(*shape, generator=chance, dtype=torch.float64) for _ in range(3))
    return Mixture.of(3 * logits, 2 * mean, log_std)


def draws(mixture: Mixture, temperature: float, count: int, seed: int = 0) -> Tensor:
    """Samples (count,) of a mixture (K, 1)."""
    chance = torch.Generator().manual_seed(seed)
    wide = Mixture.of(*(part.expand(-1, count) for part in (mixture.logits, mixture.mean, mixture.log_std)))
    uniform, normal = torch.rand(count, generator=chance), torch.randn(count, generator=chance)
    return wide.sample(uniform, normal, temperature)


def column(*values: float) -> Tensor:
    """One latent dimension's K numbers, (K, 1)."""
    return torch.tensor(values)[:, None]


def reference(mixture: Mixture, z: Tensor) -> Tensor:
    """PyTorch's own likelihood, which wants K last."""
    logits, mean, log_std = (part.mT for part in (mixture.logits, mixture.mean, mixture.log_std))
    same = MixtureSameFamily(Categorical(logits=logits), Normal(mean, log_std.exp()))
    log_prob: Tensor = same.log_prob(z)  # type: ignore[no-untyped-call]
    return log_prob


@pytest.mark.parametrize(
    "shape",
    [(1, 1, 1, 1), (1, 1, 1, 3), (1, 1, 5, 1), (1, 9, 5, 4), (6, 1, 5, 4), (3, 2), (64, 20, 5, 32)],
    ids=["B=1 T=1 Z=1 K=1", "K=1", "Z=1", "B=1", "T=1", "no batch", "large"],
)
def test_the_likelihood_and_its_gradients_are_those_of_torch_distributions(shape: tuple[int, ...]) -> None:
    mixture = some_mixture(*shape)
    z = 3 * torch.randn(*shape[:-2], shape[-1], generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    inputs = [mixture.parts.requires_grad_(), z.requires_grad_()]
    found, expected = mixture.log_prob(z), reference(mixture, z)
    assert found.shape == z.shape
    torch.testing.assert_close(found, expected)
    weights = torch.randn(z.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    for ours, theirs in zip(
        torch.autograd.grad(found, inputs, weights), torch.autograd.grad(expected, inputs, weights), strict=True
    ):
        torch.testing.assert_close(ours, theirs)


def test_a_mixture_in_half_precision_is_summed_in_single() -> None:
    mixture, z = some_mixture(5, 32), torch.zeros(32)
    half = Mixture(mixture.parts.bfloat16().requires_grad_())
    assert torch.equal(half.log_prob(z), Mixture(half.parts.float()).log_prob(z))
    half.log_prob(z).sum().backward()  # type: ignore[no-untyped-call]
    assert half.parts.grad is not None
    assert half.parts.grad.dtype == torch.bfloat16


def test_a_log_std_counts_within_limits_and_is_pushed_nowhere_beyond_them() -> None:
    parts = torch.stack([torch.zeros(1, 4), torch.zeros(1, 4), torch.tensor([[-9.0, -7.0, 2.0, 5.0]])])
    mixture = Mixture(parts.requires_grad_())
    assert mixture.log_std.tolist() == [[-7.0, -7.0, 2.0, 2.0]]
    assert mixture.log_prob(torch.zeros(4)).tolist() == pytest.approx(
        [7 - 0.5 * math.log(2 * math.pi)] * 2 + [-2 - 0.5 * math.log(2 * math.pi)] * 2
    )
    mixture.log_prob(torch.zeros(4)).sum().backward()  # type: ignore[no-untyped-call]
    assert mixture.parts.grad is not None
    assert mixture.parts.grad[2].tolist() == [[0.0, -1.0, -1.0, 0.0]]


def test_the_likelihood_stays_finite_far_out_and_between_unlikely_gaussians() -> None:
    mixture = Mixture.of(column(80.0, -80.0), column(0.0, 50.0), column(-7.0, -7.0))
    z = torch.tensor([25.0], requires_grad=True)
    log_prob = mixture.log_prob(z)
    log_prob.backward()  # type: ignore[no-untyped-call]
    assert torch.isfinite(log_prob).all()
    assert z.grad is not None
    assert torch.isfinite(z.grad).all()


def test_a_narrow_mixture_has_a_negative_nll() -> None:
    narrow = Mixture.of(torch.zeros(1, 1), torch.zeros(1, 1), torch.full((1, 1), -4.0))
    assert narrow.log_prob(torch.zeros(1)).item() == pytest.approx(4 - 0.5 * math.log(2 * math.pi))


def test_towards_temperature_0_every_sample_is_the_mode() -> None:
    mixture = some_mixture(50, 5, 8)
    chance = torch.Generator().manual_seed(2)
    uniform, normal = (draw(50, 8, generator=chance) for draw in (torch.rand, torch.randn))
    torch.testing.assert_close(mixture.sample(uniform, normal, 1e-12), mixture.mode(), rtol=0, atol=1e-4)
    assert (mixture.sample(uniform, normal, 1.0) - mixture.mode()).abs().max() > 1


def test_the_mode_is_the_mean_of_the_likeliest_gaussian() -> None:
    mixture = Mixture.of(column(0.0, 2.0, 1.0), column(7.0, 8.0, 9.0), torch.zeros(3, 1))
    assert mixture.mode().tolist() == [8.0]


@pytest.mark.parametrize("temperature", [0.25, 1.0, 1.15, 4.0])
def test_temperature_divides_the_logits(temperature: float) -> None:
    logits, count = column(1.0, 0.0, -1.5), 40_000
    apart = Mixture.of(logits, column(-100.0, 0.0, 100.0), torch.zeros(3, 1))
    sampled = draws(apart, temperature, count)
    found = torch.stack([((sampled - place).abs() < 50).double().mean() for place in (-100.0, 0.0, 100.0)])
    expected = (logits[:, 0].double() / temperature).softmax(-1)
    spread = (expected * (1 - expected) / count).sqrt()
    assert ((found - expected).abs() < 4.5 * spread + 1e-9).all()


@pytest.mark.parametrize("temperature", [0.25, 1.0, 4.0])
def test_temperature_widens_each_gaussian_by_its_root(temperature: float) -> None:
    one = Mixture.of(torch.zeros(1, 1), torch.full((1, 1), 3.0), torch.full((1, 1), math.log(0.5)))
    sampled = draws(one, temperature, 40_000)
    assert sampled.std().item() == pytest.approx(0.5 * math.sqrt(temperature), rel=0.02)
    assert sampled.mean().item() == pytest.approx(3.0, abs=0.02)


def test_the_ends_of_the_uniform_draw_choose_gaussians_that_exist() -> None:
    mixture = Mixture.of(column(-1e4, 0.0, 0.0), column(1.0, 2.0, 3.0), torch.full((3, 1), -7.0))
    ends = [mixture.sample(torch.tensor([u]), torch.zeros(1), 1.0).item() for u in (0.0, 0.9999999)]
    assert ends == [2.0, 3.0]


def test_equal_draws_give_equal_samples() -> None:
    mixture = some_mixture(3, 1)
    assert torch.equal(draws(mixture, 1.15, 10), draws(mixture, 1.15, 10))
    assert not torch.equal(draws(mixture, 1.15, 10), draws(mixture, 1.15, 10, seed=1))


def exact(mixture: Mixture, z: Tensor, temperature: float) -> Tensor:
    """z with the gradient -∂F/∂θ / p, F and p written down anew."""
    weight = (mixture.logits / temperature).softmax(-2)
    gaussian = Normal(mixture.mean, mixture.log_std.exp() * temperature**0.5)
    below = (weight * gaussian.cdf(z[..., None, :])).sum(-2)  # type: ignore[no-untyped-call]
    density = (weight * gaussian.log_prob(z[..., None, :]).exp()).sum(-2)  # type: ignore[no-untyped-call]
    found: Tensor = z - (below - below.detach()) / density.detach()
    return found


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.2])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_an_implicit_sample_is_the_sample_with_the_gradient_of_its_distribution(
    temperature: float, dtype: torch.dtype
) -> None:
    mixture = some_mixture(200, 5, 7)
    mixture = Mixture(mixture.parts.to(dtype).requires_grad_())
    chance = torch.Generator().manual_seed(1)
    uniform, normal = torch.rand(200, 7, generator=chance), 1.5 * torch.randn(200, 7, generator=chance)
    z = mixture.implicit_sample(uniform.to(dtype), normal.to(dtype), temperature)
    assert torch.equal(z, mixture.sample(uniform.to(dtype), normal.to(dtype), temperature))
    weights = torch.randn(z.shape, generator=torch.Generator().manual_seed(2))
    (found,) = torch.autograd.grad(z, [mixture.parts], weights.to(dtype))
    precise = Mixture(mixture.parts.detach().double().requires_grad_())
    (expected,) = torch.autograd.grad(
        exact(precise, z.detach().double(), temperature), [precise.parts], weights.double()
    )
    wrong = float((found.double() - expected).norm() / expected.norm())
    assert wrong < (1e-9 if dtype == torch.float64 else 1e-4)


def test_beyond_the_bounds_of_the_spread_it_has_no_gradient() -> None:
    mixture = Mixture.of(column(0.0, 0.0), column(-1.0, 1.0), column(-8.0, 3.0)).parts.requires_grad_()
    z = Mixture(mixture).implicit_sample(torch.tensor([0.7]), torch.tensor([0.3]), 1.0)
    (found,) = torch.autograd.grad(z.sum(), [mixture])
    assert not found[2].any()
    assert found[1].any()


@pytest.mark.parametrize("log_std", [-1.0, 0.0])
def test_what_moves_the_weights_alone_moves_the_mean(log_std: float) -> None:
    """Weights ∝ exp(±2 θ) on means ±1: E z' = tanh 2θ, of which the chosen Gaussian's gradient sees nothing."""
    count = 400_000
    chance = torch.Generator().manual_seed(0)
    uniform, normal = torch.rand(count, 1, generator=chance), torch.randn(count, 1, generator=chance)
    theta = torch.tensor(0.1, requires_grad=True)
    logits = torch.stack((-2 * theta, 2 * theta))[:, None].expand(count, 2, 1)
    mixture = Mixture.of(logits, column(-1.0, 1.0).expand(count, 2, 1), torch.full((count, 2, 1), log_std))
    (implicit,) = torch.autograd.grad(mixture.implicit_sample(uniform, normal, 1.0).mean(), [theta], retain_graph=True)
    (component,) = torch.autograd.grad(mixture.sample(uniform, normal, 1.0).mean(), [theta])
    assert float(implicit) == pytest.approx(2 / math.cosh(0.2) ** 2, rel=0.01)
    assert float(component) == 0
