"""Windows made up for tests: what M learns from, with nothing recorded."""

from collections.abc import Callable

import torch
from torch import Tensor

from wmframe.data.windows import Window

Rule = Callable[[Tensor, Tensor], Tensor]
"""z (B, T, Z) and actions (B, T, A) to what each step pays (B, T)."""


def window(
    *, batch: int = 4, steps: int = 7, latent: int = 3, action: int = 2, seed: int = 0, certain: bool = True
) -> Window:
    """Noise for latents and actions, random rewards now and later, no ends, every step recorded."""
    chance = torch.Generator().manual_seed(seed)
    return Window(
        mu=torch.randn(batch, steps + 1, latent, generator=chance),
        logvar=torch.full((batch, steps + 1, latent), -torch.inf if certain else -2.0),
        actions=torch.rand(batch, steps, action, generator=chance) * 2 - 1,
        rewards=torch.randn(batch, steps, generator=chance),
        done=torch.zeros(batch, steps),
        mask=torch.ones(batch, steps),
        ahead=10 * torch.randn(batch, steps, generator=chance),
        ahead_mask=torch.ones(batch, steps),
    )
