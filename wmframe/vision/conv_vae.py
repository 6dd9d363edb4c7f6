"""The paper's convolutional variational autoencoder (appendix A.1).

Frames (B, H, W, channels) uint8 come in; mu and logvar (B, Z) go out, and frames come back from z. Fitted by the vision
stage. Legend: B batch, C channels, W width, Z latent.
"""

from typing import Annotated

import torch
from annotated_types import Gt, Le
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.nn import functional

from wmframe.engine.errors import UserError
from wmframe.frames import FrameShape
from wmframe.vision.contract import Latent, Vision
from wmframe.vision.transposed import PointToMap, SubPixel


class ConvVAE(Vision):
    """Four convolutions down, four transposed convolutions up; 4,348,547 parameters at Z = 32 and W = 32.

    `width` is the first layer's channels (32 in the paper); the others are its multiples. `kl_floor` is in nats per
    latent dimension and holds for each frame's total (0.5 in the authors' code, absent from the paper's text): below
    it KL costs nothing, which keeps dimensions from idling. The learning rate falls linearly to
    `final_learning_rate` times its start (1.0, constant, in the paper).

    The decoder's layers make maps of 16 n + 48 pixels of n, 64 of the paper's 1. Frames of another `frame_shape` are
    seen with black added below and on the right, up to the next such size, and what is drawn there is cut off.
    """

    def __init__(
        self,
        *,
        latent_size: PositiveInt = 32,
        frame_shape: FrameShape = (64, 64, 3),
        width: PositiveInt = 32,
        kl_floor: NonNegativeFloat = 0.5,
        learning_rate: PositiveFloat = 1e-4,
        final_learning_rate: Annotated[float, Gt(0), Le(1)] = 1.0,
        batch_size: PositiveInt = 100,
        steps: NonNegativeInt = 100_000,
    ) -> None:
        super().__init__()
        self.latent_size, self.steps, self.batch_size = latent_size, steps, batch_size
        self.kl_floor = kl_floor
        self.learning_rate, self.final_learning_rate = learning_rate, final_learning_rate
        self.frame_shape = frame_shape
        height, across, channels = frame_shape
        down, right = (max(1, -(-(pixels - 48) // 16)) for pixels in (height, across))
        self._padding = (0, 16 * right + 48 - across, 0, 16 * down + 48 - height)
        flat, narrow = 8 * width * (down + 1) * (right + 1), 32 * width
        self.encoder = nn.Sequential(
            *(nn.Conv2d(channels, width, 4, 2), nn.ReLU()),
            *(nn.Conv2d(width, 2 * width, 4, 2), nn.ReLU()),
            *(nn.Conv2d(2 * width, 4 * width, 4, 2), nn.ReLU()),
            *(nn.Conv2d(4 * width, 8 * width, 4, 2), nn.ReLU()),
            nn.Flatten(),
        )
        self.mu = nn.Linear(flat, latent_size)
        self.logvar = nn.Linear(flat, latent_size)
        self.decoder = nn.Sequential(
            *(nn.Linear(latent_size, narrow * down * right), nn.Unflatten(1, (narrow, down, right))),
            *((PointToMap if down == right == 1 else nn.ConvTranspose2d)(narrow, 4 * width, 5, 2), nn.ReLU()),
            *(nn.ConvTranspose2d(4 * width, 2 * width, 5, 2), nn.ReLU()),
            *(nn.ConvTranspose2d(2 * width, width, 6, 2), nn.ReLU()),
            *(SubPixel(width, channels, 6, 2), nn.Sigmoid()),
        )

    def encode(self, frames: Tensor) -> Latent:
        """Map frames (B, H, W, channels) uint8 to the distribution of their latents (B, Z)."""
        return self._distribution(self._pixels(frames))

    def decode(self, z: Tensor) -> Tensor:
        """Map latents (B, Z) to frames (B, H, W, channels) uint8."""
        pixels = self._drawn(z)
        return (pixels * 255).round().to(torch.uint8).permute(0, 2, 3, 1)

    def loss(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Return a batch's reconstruction and KL terms, both scalar, nats per frame up to a constant.

        The first is the summed squared error of pixels in [0, 1]; the second is max(KL, kl_floor · Z).
        """
        pixels = self._pixels(frames)
        latent = self._distribution(pixels)
        z = latent.sample(torch.randn_like(latent.mu))
        squared_error = (self._drawn(z) - pixels).square().sum((1, 2, 3)).mean()
        return squared_error, divergence(latent).clamp(min=self.kl_floor * self.latent_size).mean()

    def training_step(self, frames: Tensor) -> Tensor:
        """One step on frames (B, H, W, channels) uint8."""
        squared_error, kl = self.loss(frames)
        self.log_dict({"vision/squared_error": squared_error, "vision/kl": kl})
        return squared_error + kl

    def validation_step(self, frames: Tensor) -> None:
        """The same two terms on frames of held-out episodes."""
        squared_error, kl = self.loss(frames)
        self.log_dict({"vision/held_out_squared_error": squared_error, "vision/held_out_kl": kl})

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Adam, its learning rate falling linearly over `steps`."""
        adam = torch.optim.Adam(self.parameters(), lr=self.learning_rate, fused=True)
        falling = torch.optim.lr_scheduler.LinearLR(adam, 1.0, self.final_learning_rate, max(self.steps, 1))
        return {"optimizer": adam, "lr_scheduler": {"scheduler": falling, "interval": "step"}}

    def _pixels(self, frames: Tensor) -> Tensor:
        """Frames (B, H, W, channels) uint8 to pixels (B, channels, H, W) in [0, 1]."""
        if tuple(frames.shape[1:]) != tuple(self.frame_shape):
            raise UserError(
                f"vision: frames are of shape {tuple(frames.shape[1:])}, and this V was made for "
                f"{tuple(self.frame_shape)}. Use the env that it was trained with, or say vision.frame_shape."
            )
        return frames.permute(0, 3, 1, 2).to(self.dtype) / 255

    def _drawn(self, z: Tensor) -> Tensor:
        """Pixels (B, channels, H, W) of latents (B, Z)."""
        pixels: Tensor = self.decoder(z)
        height, across, _ = self.frame_shape
        return pixels[..., :height, :across]

    def _distribution(self, pixels: Tensor) -> Latent:
        features = self.encoder(functional.pad(pixels, self._padding) if any(self._padding) else pixels)
        return Latent(self.mu(features), self.logvar(features))


def divergence(latent: Latent) -> Tensor:
    """Return KL(N(mu, exp(logvar)) ‖ N(0, 1)) summed over Z, in nats, (B,)."""
    return 0.5 * (latent.mu.square() + latent.logvar.exp() - 1 - latent.logvar).sum(-1)
