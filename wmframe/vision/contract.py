"""What V must offer: frames in, a latent distribution out, and back again.

Called by the stages (fit), by Reality (encode) and by the report (decode). Legend: B batch, Z latent.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import pytorch_lightning as pl
from torch import Tensor

from wmframe.frames import FRAME_SHAPE, FrameShape


@dataclass(frozen=True)
class Latent:
    """A diagonal Gaussian over z: `mu` and `logvar`, each (B, Z). `logvar` may be -inf: no noise."""

    mu: Tensor
    logvar: Tensor

    def sample(self, noise: Tensor) -> Tensor:
        """Draw z = mu + exp(logvar / 2) · noise, with standard normal `noise` of mu's shape."""
        return self.mu + (self.logvar / 2).exp() * noise


class Vision(pl.LightningModule, ABC):
    """V. Concrete classes take keyword-only arguments, which are the schema of their YAML.

    `latent_size` is Z. `steps` is how many batches of `batch_size` frames the vision stage fits it for;
    zero means that there is nothing to learn. `frame_shape` is (H, W, channels) of the frames that it draws; where an
    environment's are not of the usual shape the recipe hands a constructor that shape by this name.
    """

    latent_size: int
    steps: int
    batch_size: int
    frame_shape: FrameShape = FRAME_SHAPE

    @abstractmethod
    def encode(self, frames: Tensor) -> Latent:
        """Map frames (B, H, W, channels) uint8 to the distribution of their latents (B, Z).

        It is computed in the module's own `dtype`, which is float32, but float64 while an agent is scored.
        """

    @abstractmethod
    def decode(self, z: Tensor) -> Tensor:
        """Map latents (B, Z) to frames (B, H, W, channels) uint8."""
