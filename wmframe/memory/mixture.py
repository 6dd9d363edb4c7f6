"""K Gaussians per latent dimension: likelihood, sampling at a temperature, mode (paper, section 2.3).

Used by memories for their loss and by Dream for z'. Legend: Z latent, K mixtures, (...) any leading dimensions.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Mixture:
    """Each latent dimension's own mixture: `logits`, `mean`, `log_std`, each (..., Z, K)."""

    logits: Tensor
    mean: Tensor
    log_std: Tensor

    def log_prob(self, z: Tensor) -> Tensor:
        """Return log p of each dimension of z (..., Z), in nats.

        It is a density: above 0 where the standard deviation is small, so a negative NLL is no fault.
        """
        scaled = (z[..., None] - self.mean) * (-self.log_std).exp()
        log_normal = -0.5 * scaled.square() - self.log_std - 0.5 * math.log(2 * math.pi)
        return torch.logsumexp(self.logits.log_softmax(-1) + log_normal, -1)

    def sample(self, uniform: Tensor, normal: Tensor, temperature: float) -> Tensor:
        """Draw z' (..., Z) at temperature τ: logits / τ choose the Gaussian, √τ widens it (paper, section 4.2).

        `uniform` in [0, 1) chooses, `normal` places within; both (..., Z) and passed in, so that candidates can share
        them. τ → 0 gives the mode.
        """
        cumulative = (self.logits / temperature).softmax(-1).cumsum(-1)[..., :-1]
        chosen = (uniform[..., None] >= cumulative).sum(-1, keepdim=True)
        mean, log_std = self.mean.gather(-1, chosen)[..., 0], self.log_std.gather(-1, chosen)[..., 0]
        return mean + log_std.exp() * (math.sqrt(temperature) * normal)

    def mode(self) -> Tensor:
        """Return the mean of each dimension's likeliest Gaussian, (..., Z)."""
        return self.mean.gather(-1, self.logits.argmax(-1, keepdim=True))[..., 0]
