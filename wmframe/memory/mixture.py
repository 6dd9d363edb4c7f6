"""K Gaussians per latent dimension: likelihood, sampling at a temperature, mode (paper, section 2.3).

Used by memories for their loss and by dreams for z'. K stands before Z, so that a CPU works on rows of numbers that lie
side by side. Legend: Z latent, K mixtures, (...) any leading dimensions.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Mixture:
    """Each latent dimension's own mixture: `logits`, `mean`, `log_std`, each (..., K, Z)."""

    logits: Tensor
    mean: Tensor
    log_std: Tensor

    def log_prob(self, z: Tensor) -> Tensor:
        """Return log p of each dimension of z (..., Z), in nats.

        It is a density: above 0 where the standard deviation is small, so a negative NLL is no fault.
        """
        # A network in half precision says its mixture in half precision, in which these sums would drown.
        parts = (part.to(z.dtype) for part in (self.logits, self.mean, self.log_std))
        result: Tensor = _LogProb.apply(*parts, z)  # type: ignore[no-untyped-call]
        return result

    def sample(self, uniform: Tensor, normal: Tensor, temperature: float) -> Tensor:
        """Draw z' (..., Z) at temperature τ: logits / τ choose the Gaussian, √τ widens it (paper, section 4.2).

        `uniform` in [0, 1) chooses, `normal` places within; both (..., Z) and passed in, so that candidates can share
        them. τ → 0 gives the mode.
        """
        cumulative = (self.logits / temperature).softmax(-2).cumsum(-2)[..., :-1, :]
        chosen = (uniform[..., None, :] >= cumulative).sum(-2, keepdim=True)
        mean, log_std = self.mean.gather(-2, chosen)[..., 0, :], self.log_std.gather(-2, chosen)[..., 0, :]
        return mean + log_std.exp() * (math.sqrt(temperature) * normal)

    def mode(self) -> Tensor:
        """Return the mean of each dimension's likeliest Gaussian, (..., Z)."""
        return self.mean.gather(-2, self.logits.argmax(-2, keepdim=True))[..., 0, :]


class _LogProb(torch.autograd.Function):
    """log Σ_k π_k N(z; μ_k, σ_k) and its gradients in closed form (Bishop, 1994, equations 32 to 37).

    With r_k the responsibility of Gaussian k for z: ∂/∂logit_k = r_k - π_k, ∂/∂μ_k = r_k (z - μ_k) / σ_k²,
    ∂/∂log σ_k = r_k ((z - μ_k)² / σ_k² - 1). Autograd's own way through the two log-sum-exps moves twice the memory.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, mean: Tensor, log_std: Tensor, z: Tensor) -> Tensor:
        inverse = (-log_std).exp()
        scaled = (z[..., None, :] - mean) * inverse
        joint = torch.addcmul(logits, scaled, scaled, value=-0.5).sub_(log_std)
        total, normaliser = joint.logsumexp(-2), logits.logsumexp(-2)
        ctx.save_for_backward(logits, joint, scaled, inverse)
        return total - normaliser - 0.5 * math.log(2 * math.pi)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        logits, joint, scaled, inverse = ctx.saved_tensors
        gradient = gradients[0][..., None, :]
        responsibility = joint.softmax(-2)
        of_logits = (responsibility - logits.softmax(-2)).mul_(gradient)
        weight = responsibility.mul_(gradient)
        pull = weight * scaled
        of_log_std = (pull * scaled).sub_(weight)
        of_mean = pull.mul_(inverse)
        return of_logits, of_mean, of_log_std, -of_mean.sum(-2)
