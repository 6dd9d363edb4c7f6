"""All that chance decides in a dream, drawn ahead from its seed.

Seeds, start states and how much M needs come in, numbers go out: the same for whoever dreams with that seed, a whole
population or a gradient. Called by Dream and DifferentiableDream. Legend: U seeds, T horizon, Z latent.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from wmframe.memory.contract import Memory
from wmframe.memory.state import Noise
from wmframe.worlds.starts import StartStates


@dataclass(frozen=True)
class Luck:
    """What chance decides in U dreams.

    `steps` (T, N + 1, U): the N numbers that M imagines each step by (`Memory.imagining`), and a uniform one for the
    end; the number of the `start` state (U,), its z (U, Z), and what M observes that by (`Memory.observing`).
    """

    steps: Tensor
    start: Tensor
    z: Tensor
    observing: Noise

    def of(self, dreams: Tensor) -> "Luck":
        """Return that of some of the dreams, by their numbers, each as often as it is named."""
        return Luck(self.steps[..., dreams], self.start[dreams], self.z[dreams], self.observing.rows(dreams))


def draw_luck(memory: Memory, starts: StartStates, seeds: Sequence[int], horizon: int) -> Luck:
    """Draw the luck of one dream a seed, on the start states' device."""
    device = starts.mu.device
    drawn = [_draw(torch.Generator().manual_seed(seed), memory, len(starts.mu), horizon) for seed in seeds]
    start, first, observing, steps = zip(*drawn, strict=True)
    at = torch.stack(start).to(device)
    mu, logvar = starts.mu[at], starts.logvar[at]
    return Luck(
        steps=torch.stack(steps, -1).to(device),
        start=at,
        z=mu + (logvar / 2).exp() * torch.stack(first).to(device),
        observing=memory.observing.split(torch.cat(observing).to(device)),
    )


def _draw(chance: torch.Generator, memory: Memory, starts: int, horizon: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    start = torch.randint(starts, (), generator=chance)
    first = torch.randn(memory.latent_size, generator=chance)
    observing = memory.observing.draw(chance, 1)
    imagining = memory.imagining.draw(chance, horizon)
    return start, first, observing, torch.cat((imagining, torch.rand(horizon, 1, generator=chance)), 1)
