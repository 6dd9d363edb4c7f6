"""Two of the decoder's transposed convolutions in exact forms that a CPU computes faster.

Parameters, their names and their shapes are `nn.ConvTranspose2d`'s, so weights fit either form; tests hold each to it.
Called by the convolutional VAE. `docs/performance.md` has the profile and what else was tried. Legend: B batch,
I channels in, O channels out, K kernel, S size.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class PointToMap(nn.ConvTranspose2d):
    """A transposed convolution of a 1 by 1 map, (B, I, 1, 1) to (B, O, K, K): a single matrix product."""

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Return the map, channels last in memory, as the layers that follow like it."""
        assert self.bias is not None  # noqa: S101  # this package's layers have one
        maps = (x.flatten(1) @ self.weight.flatten(1)).view(-1, *self.weight.shape[1:]) + self.bias[:, None, None]
        return maps.contiguous(memory_format=torch.channels_last)


class SubPixel(nn.ConvTranspose2d):
    """Stride 2 with an even kernel: every output pixel's parity is a channel of a stride 1 transposed convolution.

    (B, I, S, S) to (B, O, 2 S + K - 2, 2 S + K - 2). It pays where O is small (Shi et al., 2016).
    """

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Return the upsampled map."""
        assert self.bias is not None  # noqa: S101  # this package's layers have one
        into, out, kernel, _ = self.weight.shape
        taps = self.weight.view(into, out, kernel // 2, 2, kernel // 2, 2)
        phases = taps.permute(0, 1, 3, 5, 2, 4).reshape(into, 4 * out, kernel // 2, kernel // 2)
        return F.pixel_shuffle(F.conv_transpose2d(x, phases, self.bias.repeat_interleave(4)), 2)
