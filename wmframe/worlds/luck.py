"""All that chance decides in a dream, drawn ahead from its seed.

Seeds and start states come in, uniform and normal numbers go out: the same for whoever dreams with that seed, a whole
population or a gradient. Called by Dream and DifferentiableDream. Legend: U seeds, T horizon, Z latent.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from wmframe.worlds.starts import StartStates


@dataclass(frozen=True)
class Luck:
    """What chance decides in U dreams.

    `steps` (T, 2 Z + 1, U): uniform draws for each dimension's Gaussian, normal ones for the place within it, a uniform
    one for the end; the number of the `start` state (U,) and its z (U, Z).
    """

    steps: Tensor
    start: Tensor
    z: Tensor

    def of(self, dreams: Tensor) -> "Luck":
        """Return that of some of the dreams, by their numbers, each as often as it is named."""
        return Luck(steps=self.steps[..., dreams], start=self.start[dreams], z=self.z[dreams])


def draw_luck(starts: StartStates, seeds: Sequence[int], horizon: int) -> Luck:
    """Draw the luck of one dream a seed, on the start states' device."""
    latent_size, device = starts.mu.shape[1], starts.mu.device
    drawn = [_draw(torch.Generator().manual_seed(seed), len(starts.mu), horizon, latent_size) for seed in seeds]
    start, first, steps = zip(*drawn, strict=True)
    at = torch.stack(start).to(device)
    mu, logvar = starts.mu[at], starts.logvar[at]
    return Luck(
        steps=torch.stack(steps, -1).to(device),
        start=at,
        z=mu + (logvar / 2).exp() * torch.stack(first).to(device),
    )


def _draw(chance: torch.Generator, starts: int, horizon: int, latent_size: int) -> tuple[Tensor, Tensor, Tensor]:
    start = torch.randint(starts, (), generator=chance)
    first = torch.randn(latent_size, generator=chance)
    uniform = torch.rand(horizon, latent_size, generator=chance)
    normal = torch.randn(horizon, latent_size, generator=chance)
    return start, first, torch.cat((uniform, normal, torch.rand(horizon, 1, generator=chance)), 1)
