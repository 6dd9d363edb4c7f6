"""Actions made noisy: so that M sees what happens beside a policy's own line.

Without it, M knows only the actions that good drivers take, and a dream believes any other to be as good: measured,
C then fills its dream with full locks, or with a brake half pressed all along, and on the real track goes nowhere.
Called by the sources that let something drive. Legend: B lanes, A action.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from annotated_types import Ge, Lt, MinLen
from pydantic import NonNegativeFloat
from torch import Tensor

from wmframe.worlds.rollout import Act


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Normal noise of a lane's own deviation, drifting: each step keeps `correlation` of the last step's.

    `deviations` are dealt out in turn; 0 leaves a lane as it is. The deviation is that of every single step, whatever
    the correlation; at 0.9 a push lasts some ten steps, long enough for the car to feel it.
    """

    deviations: Annotated[list[NonNegativeFloat], MinLen(1)]
    correlation: Annotated[float, Ge(0), Lt(1)] = 0.9

    def deviation(self, place: int) -> float:
        """Return the deviation dealt to a place in the order."""
        return self.deviations[place % len(self.deviations)]

    def disturb(self, act: Act, deviations: Sequence[float], chances: Sequence[np.random.Generator]) -> Act:
        """Return the policy with noise on its actions, from each lane's own generator, clipped to [-1, 1]."""
        spread = torch.tensor(deviations, dtype=torch.float32)[:, None]
        fresh = math.sqrt(1 - self.correlation**2)
        drift: Tensor | None = None

        def disturbed(features: Tensor) -> Tensor:
            nonlocal drift
            actions = act(features)
            drawn = np.stack([chance.standard_normal(actions.shape[-1], np.float32) for chance in chances])
            new = torch.from_numpy(drawn)
            drift = new if drift is None else self.correlation * drift + fresh * new
            return (actions + (spread * drift).to(actions.device)).clamp(-1, 1)

        return disturbed
