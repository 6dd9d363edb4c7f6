"""The degenerate V: the frame itself, averaged into a coarse grey grid. Nothing to learn.

What round 0 of data collection sees with, and the baseline that says what a learned V is worth.
"""

import math

import torch
from pydantic import PositiveInt
from torch import Tensor
from torch.nn import functional

from wmframe.frames import FrameShape
from wmframe.vision.contract import Latent, Vision


class NoVision(Vision):
    """z is the mean brightness of each cell of a square grid, scaled to [-2, 2] and certain (logvar = -inf).

    `latent_size` must be a square, of no more cells a side than the frame has pixels. Frames may be of any shape;
    `frame_shape` is that of what it draws.
    """

    def __init__(self, *, latent_size: PositiveInt = 64, frame_shape: FrameShape = (64, 64, 3)) -> None:
        super().__init__()
        grid = math.isqrt(latent_size)
        if grid * grid != latent_size or grid > min(frame_shape[:2]):
            squares = ", ".join(str(4**power) for power in range(7))
            raise ValueError(f"latent_size = {latent_size} is no square grid of a frame; use one of {squares}")
        self.latent_size, self.steps, self.batch_size = latent_size, 0, 1
        self.grid, self.frame_shape = grid, frame_shape

    def encode(self, frames: Tensor) -> Latent:
        """Map frames (B, H, W, channels) uint8 to cell means (B, Z)."""
        grey = frames.to(self.dtype).mean(-1)[:, None]
        height, width = grey.shape[2:]
        even = height % self.grid == width % self.grid == 0
        cells = (
            functional.avg_pool2d(grey, (height // self.grid, width // self.grid))
            if even
            else functional.adaptive_avg_pool2d(grey, self.grid)
        )
        mu = cells.flatten(1) / 255 * 4 - 2
        return Latent(mu, torch.full_like(mu, -math.inf))

    def decode(self, z: Tensor) -> Tensor:
        """Map cell means (B, Z) to grey frames (B, H, W, channels) uint8."""
        height, width, channels = self.frame_shape
        cells = ((z + 2) / 4 * 255).clamp(0, 255).round().view(-1, 1, self.grid, self.grid)
        grey = functional.interpolate(cells, (height, width)).to(torch.uint8)
        return grey.permute(0, 2, 3, 1).expand(-1, -1, -1, channels)
