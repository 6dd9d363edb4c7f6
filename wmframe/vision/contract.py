"""What V must offer: frames in, a latent distribution out, and back again.

Called by the stages (fit), by Reality (encode) and by the report (decode). Legend: B batch, Z latent.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Final

import pytorch_lightning as pl
from torch import Tensor

SIDE: Final = 64
"""Height and width of every frame, in pixels (paper, appendix A.1)."""


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
    zero means that there is nothing to learn.
    """

    latent_size: int
    steps: int
    batch_size: int

    @abstractmethod
    def encode(self, frames: Tensor) -> Latent:
        """Map frames (B, 64, 64, 3) uint8 to the distribution of their latents (B, Z), in the module's own `dtype`.

        That is float32, but float64 while an agent is scored.
        """

    @abstractmethod
    def decode(self, z: Tensor) -> Tensor:
        """Map latents (B, Z) to frames (B, 64, 64, 3) uint8."""
