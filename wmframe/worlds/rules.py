"""Words of a config that a dream goes by. Imports nothing heavy."""

from typing import Literal

DoneRule = Literal["sample", "threshold", "never"]
"""When M's done ends a dream: drawn with its probability, beyond 50 % (paper), or not at all."""
