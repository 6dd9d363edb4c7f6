"""Words of a config that a memory goes by: what C is fed of it, and how its draws are differentiated.

Read while planning: imports nothing heavy. Legend: F features, Z latent, H hidden.
"""

from typing import Literal

Senses = Literal["z", "zh", "zhc"]
"""What C is fed: the latent, with M's hidden state (CarRacing), with its cell too (Take Cover)."""

Reparameterization = Literal["component", "implicit"]
"""What of a dreamt latent has a gradient: the Gaussian that was chosen, or the whole mixture."""


def feature_size(senses: Senses, latent_size: int, hidden_size: int) -> int:
    """Return F for these senses: Z, Z + H or Z + 2 H."""
    return latent_size + hidden_size * {"z": 0, "zh": 1, "zhc": 2}[senses]
