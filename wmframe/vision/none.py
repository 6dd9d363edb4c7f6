"""The degenerate V: the frame itself, averaged into a coarse grey grid. Nothing to learn.

What round 0 of data collection sees with, and the baseline that says what a learned V is worth.
"""

import math

import torch
from pydantic import PositiveInt
from torch import Tensor
from torch.nn import functional as F

from wmframe.vision.contract import SIDE, Latent, Vision


class NoVision(Vision):
    """z is the mean brightness of each cell of a square grid, scaled to [-2, 2] and certain (logvar = -inf).

    `latent_size` must be a square whose root divides 64: 1, 4, 16, 64, 256, 1024 or 4096.
    """

    def __init__(self, *, latent_size: PositiveInt = 64) -> None:
        super().__init__()
        grid = math.isqrt(latent_size)
        if grid * grid != latent_size or SIDE % grid != 0:
            squares = ", ".join(str(4**power) for power in range(7))
            raise ValueError(f"latent_size = {latent_size} is no square grid of a frame; use one of {squares}")
        self.latent_size, self.steps, self.batch_size = latent_size, 0, 1
        self.grid = grid

    def encode(self, frames: Tensor) -> Latent:
        """Map frames (B, 64, 64, 3) uint8 to cell means (B, Z)."""
        cells = F.avg_pool2d(frames.to(self.dtype).mean(-1)[:, None], SIDE // self.grid).flatten(1)
        mu = cells / 255 * 4 - 2
        return Latent(mu, torch.full_like(mu, -math.inf))

    def decode(self, z: Tensor) -> Tensor:
        """Map cell means (B, Z) to grey frames (B, 64, 64, 3) uint8."""
        cells = ((z + 2) / 4 * 255).clamp(0, 255).round().to(torch.uint8)
        return (
            cells.view(-1, self.grid, self.grid, 1)
            .repeat_interleave(SIDE // self.grid, 1)
            .repeat_interleave(SIDE // self.grid, 2)
            .expand(-1, -1, -1, 3)
        )
