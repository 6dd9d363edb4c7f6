"""Where C lives while it is searched for: the schemas of conf/world. Read by the controller and evaluate stages."""

from abc import ABC
from dataclasses import dataclass
from typing import Literal

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

DoneRule = Literal["sample", "threshold", "never"]

Reparameterization = Literal["component", "implicit"]
"""What of a dreamt latent has a gradient: the Gaussian that was chosen, or the whole mixture."""


@dataclass(frozen=True, kw_only=True)
class WorldSettings(ABC):  # noqa: B024  # what both worlds share; never made itself
    """What both worlds have: `sample_latent` draws z from V when awake, as the paper does; otherwise z is mu."""

    sample_latent: bool = True


@dataclass(frozen=True, kw_only=True)
class DreamSettings(WorldSettings):
    """C is searched for inside M, at temperature τ = `temperature`, in dreams of `horizon` steps.

    Dreams start from one of `starts` recorded states: anywhere along the episodes but for their first `skip` steps,
    M warmed up to there ("warmed"), or an episode's first frame and M's initial state ("fresh", as in the paper).
    `done_rule` says when M's done ends a dream. With `bootstrap` a dream that the horizon ends is paid what M expects
    of the `memory.value_steps` steps after it: where C leaves the car then counts, as it does awake.
    """

    horizon: PositiveInt
    temperature: PositiveFloat = 1.0
    done_rule: DoneRule = "sample"
    start: Literal["warmed", "fresh"] = "warmed"
    starts: PositiveInt = 2048
    skip: NonNegativeInt = 0
    bootstrap: bool = False


@dataclass(frozen=True, kw_only=True)
class RealitySettings(WorldSettings):
    """C is searched for in the environment; `most_steps` ends the search's episodes early."""

    most_steps: PositiveInt | None = None
