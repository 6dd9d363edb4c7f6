"""Actions made noisy, lane by lane: so that M sees what happens beside a policy's own line.

Without it, M knows only the actions that good drivers take, and a dream believes any other to be as good: measured,
C then fills its dream with full locks that on the real track spin the car at once. Legend: B lanes, A action.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from wmframe.worlds.rollout import Act


def noisy(act: Act, deviations: Sequence[float], chances: Sequence[np.random.Generator]) -> Act:
    """Add normal noise of each lane's deviation, drawn from the lane's own generator, and clip to [-1, 1]."""
    spread = torch.tensor(deviations, dtype=torch.float32)[:, None]

    def disturbed(features: Tensor) -> Tensor:
        actions = act(features)
        drawn = np.stack([chance.standard_normal(actions.shape[-1], np.float32) for chance in chances])
        return (actions + (spread * torch.from_numpy(drawn)).to(actions.device)).clamp(-1, 1)

    return disturbed
