"""What C must offer: a whole population acts in one batched product.

Parameters are flat vectors, so that any search can propose them. Called by search, worlds' roll-outs and collection.
Legend: P population, R roll-outs, F features, A action, D parameters.
"""

from abc import ABC, abstractmethod
from typing import Literal

from torch import Tensor, cat

Senses = Literal["z", "zh", "zhc"]
"""What C is fed: the latent, with M's hidden state (CarRacing), with its cell too (Take Cover)."""


class Controller(ABC):
    """C. Holds no parameters of its own: `size` says how many (D), `act` takes them.

    `senses` says which features it is fed, `feature_size` (F) how many that makes, `action_size` is A.
    """

    senses: Senses
    feature_size: int
    action_size: int
    size: int

    @abstractmethod
    def act(self, parameters: Tensor, features: Tensor) -> Tensor:
        """Map parameters (P, D) and features (P, R, F) to actions (P, R, A) in [-1, 1]."""


def features(senses: Senses, z: Tensor, h: Tensor, c: Tensor) -> Tensor:
    """Lay out what C is fed: [z], [z; h] or [z; h; c], (B, F)."""
    return cat({"z": (z,), "zh": (z, h), "zhc": (z, h, c)}[senses], -1)


def feature_size(senses: Senses, latent_size: int, hidden_size: int) -> int:
    """Return F for these senses."""
    return latent_size + hidden_size * {"z": 0, "zh": 1, "zhc": 2}[senses]
