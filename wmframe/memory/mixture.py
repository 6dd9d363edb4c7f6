"""K Gaussians per latent dimension: likelihood, sampling at a temperature, mode (paper, section 2.3).

Used by memories for their loss and by dreams for z'. K stands before Z, so that a CPU works on rows of numbers that lie
side by side. Legend: Z latent, K mixtures, (...) any leading dimensions.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

LOG_STD: Final = (-7.0, 2.0)
"""The least and the most that a log standard deviation counts as."""

_LEAST_DENSITY: Final = 1e-12
"""Where hardly anything is ever drawn, one draw would otherwise be a whole gradient."""


@dataclass(frozen=True)
class Mixture:
    """Each latent dimension's own mixture.

    `parts` (..., 3, K, Z) are logits, means and log standard deviations, as a network says them in one go.
    """

    parts: Tensor

    @classmethod
    def of(cls, logits: Tensor, mean: Tensor, log_std: Tensor) -> "Mixture":
        """Put a mixture together from its parts, each (..., K, Z)."""
        return cls(torch.stack((logits, mean, log_std), -3))

    @property
    def logits(self) -> Tensor:
        """(..., K, Z): log weights, up to a constant for each dimension."""
        return self.parts[..., 0, :, :]

    @property
    def mean(self) -> Tensor:
        """(..., K, Z)."""
        return self.parts[..., 1, :, :]

    @property
    def log_std(self) -> Tensor:
        """(..., K, Z), within `LOG_STD`."""
        return self.parts[..., 2, :, :].clamp(*LOG_STD)

    def log_prob(self, z: Tensor) -> Tensor:
        """Return log p of each dimension of z (..., Z), in nats.

        It is a density: above 0 where the standard deviation is small, so a negative NLL is no fault.
        """
        # A network in half precision says its mixture in half precision, in which these sums would drown.
        result: Tensor = _LogProb.apply(self.parts.to(z.dtype), z)  # type: ignore[no-untyped-call]
        return result

    def sample(self, uniform: Tensor, normal: Tensor, temperature: float) -> Tensor:
        """Draw z' (..., Z) at temperature τ: logits / τ choose the Gaussian, √τ widens it (paper, section 4.2).

        `uniform` in [0, 1) chooses, `normal` places within; both (..., Z) and passed in, so that candidates can share
        them. τ → 0 gives the mode.

        Its gradient goes through the mean and the width of the Gaussian that was chosen. Which one is chosen has none,
        so what moves the weights alone seems to move nothing; `implicit_sample` has the whole gradient.
        """
        cumulative = (self.logits / temperature).softmax(-2).cumsum(-2)[..., :-1, :]
        chosen = (uniform[..., None, :] >= cumulative).sum(-2, keepdim=True)
        mean, log_std = self.mean.gather(-2, chosen)[..., 0, :], self.log_std.gather(-2, chosen)[..., 0, :]
        return mean + log_std.exp() * (math.sqrt(temperature) * normal)

    def implicit_sample(self, uniform: Tensor, normal: Tensor, temperature: float) -> Tensor:
        """Draw the same z' (..., Z) as `sample`, with the exact gradient of a univariate mixture.

        Implicit reparameterisation (Figurnov et al., 2018, equation 6): dz = -dF(z) / p(z), F and p the distribution
        function and the density of each dimension's mixture at temperature τ. Its mean is the gradient of the mean of
        any smooth function of z', the choice among the Gaussians included. Where Gaussians lie many widths apart that
        choice shows in the rare draws from between them alone, with large gradients: few draws then miss it. The
        density counts as `_LEAST_DENSITY` at least.
        """
        with torch.no_grad():
            z = self.sample(uniform, normal, temperature)
        result: Tensor = _Implicit.apply(self.parts, z, temperature)  # type: ignore[no-untyped-call]
        return result

    def mode(self) -> Tensor:
        """Return the mean of each dimension's likeliest Gaussian, (..., Z)."""
        return self.mean.gather(-2, self.logits.argmax(-2, keepdim=True))[..., 0, :]


class _LogProb(torch.autograd.Function):
    """log Σ_k π_k N(z; μ_k, σ_k) and its gradients in closed form (Bishop, 1994, equations 32 to 37).

    With r_k the responsibility of Gaussian k for z: ∂/∂logit_k = r_k - π_k, ∂/∂μ_k = r_k (z - μ_k) / σ_k²,
    ∂/∂log σ_k = r_k ((z - μ_k)² / σ_k² - 1), or 0 beyond `LOG_STD`. Autograd's own way through the two log-sum-exps
    moves twice the memory.
    """

    @staticmethod
    def forward(ctx: Any, parts: Tensor, z: Tensor) -> Tensor:
        logits, mean, log_std = parts.unbind(-3)
        log_std = log_std.clamp(*LOG_STD)
        inverse = (-log_std).exp()
        scaled = (z[..., None, :] - mean).mul_(inverse)
        joint = torch.addcmul(logits, scaled, scaled, value=-0.5).sub_(log_std)
        total, normaliser = joint.logsumexp(-2), logits.logsumexp(-2)
        ctx.save_for_backward(parts, joint, scaled, inverse)
        return total - normaliser - 0.5 * math.log(2 * math.pi)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor | None]:
        parts, joint, scaled, inverse = ctx.saved_tensors
        gradient = gradients[0][..., None, :]
        logits, _, log_std = parts.unbind(-3)
        result = torch.empty_like(parts)
        of_logits, of_mean, of_log_std = result.unbind(-3)
        responsibility = joint.softmax(-2)
        torch.sub(responsibility, logits.softmax(-2), out=of_logits).mul_(gradient)
        weight = responsibility.mul_(gradient)
        torch.mul(weight, scaled, out=of_mean)
        torch.mul(of_mean, scaled, out=of_log_std).sub_(weight)
        of_log_std.mul_(log_std == log_std.clamp(*LOG_STD))
        of_mean.mul_(inverse)
        return result, -of_mean.sum(-2) if ctx.needs_input_grad[1] else None


class _Implicit(torch.autograd.Function):
    """z as it is, and ∂z/∂θ = -∂F/∂θ / p in closed form.

    With weights π_k, widths s_k = σ_k √τ, x_k = (z - μ_k) / s_k and r_k the responsibility of Gaussian k for z:
    ∂z/∂μ_k = r_k, ∂z/∂log σ_k = r_k (z - μ_k), or 0 beyond `LOG_STD`, ∂z/∂logit_k = π_k (F - Φ(x_k)) / (τ p).
    """

    @staticmethod
    def forward(ctx: Any, parts: Tensor, z: Tensor, temperature: float) -> Tensor:
        ctx.save_for_backward(parts, z)
        ctx.temperature = temperature
        return z.view_as(z)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        parts, z = ctx.saved_tensors
        logits, mean, log_std = parts.unbind(-3)
        width = log_std.clamp(*LOG_STD).exp() * math.sqrt(ctx.temperature)
        log_weight = (logits / ctx.temperature).log_softmax(-2)
        away = z[..., None, :] - mean
        scaled = away / width
        joint = log_weight - 0.5 * scaled.square() - width.log()
        total = joint.logsumexp(-2, keepdim=True)
        responsibility = (joint - total).exp()
        weight = log_weight.exp()
        below = _far_side(scaled, weight)
        of_logits = weight * ((weight * below).sum(-2, keepdim=True) - below)
        log_density = (total - 0.5 * math.log(2 * math.pi)).clamp(min=math.log(_LEAST_DENSITY))
        of_logits = of_logits / ctx.temperature * (-log_density).exp()
        inside = (log_std >= LOG_STD[0]) & (log_std <= LOG_STD[1])
        result = torch.stack((of_logits, responsibility, responsibility * away * inside), -3)
        return result * gradients[0][..., None, None, :], None, None


def _far_side(scaled: Tensor, weight: Tensor) -> Tensor:
    """Return Φ(x) (..., K, Z), or Φ(x) - 1 in dimensions where most of the mixture lies below z.

    Differences between the two are what is wanted, and of numbers near 1 rounding would leave nothing of them.
    """
    above = (weight * scaled.sign()).sum(-2, keepdim=True) > 0
    sign = 1 - 2 * above.to(scaled.dtype)
    side: Tensor = torch.special.ndtr(sign * scaled)
    return sign * side
