"""Words of a config that a dream goes by: when it ends, and what of it has a gradient. Imports nothing heavy."""

from typing import Literal

DoneRule = Literal["sample", "threshold", "never"]
"""When M's done ends a dream: drawn with its probability, beyond 50 % (paper), or not at all."""

Reparameterization = Literal["component", "implicit"]
"""What of a dreamt latent has a gradient: the Gaussian that was chosen, or the whole mixture."""
