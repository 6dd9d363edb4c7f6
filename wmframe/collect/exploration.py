"""Temporally extended ε-greedy exploration (Dabney et al., 2020), for each part of an action on its own.

It shows M what an action does, apart from why a policy took it: full stops, and long enough for a car to feel them.
On CarRacing every recorded driver kept its foot on the gas, so M believed that none was needed, C dreamt itself round
the track on a gas of zero, and awake it never left the start; white or drifting noise around a policy's own action does
not reach the full stops. Exploration alone did not cure that belief, rounds did (docs/results/car_racing_quick.md).
Called by the sources that let something drive.
Legend: B lanes, A action.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from annotated_types import Ge, Lt, MinLen
from torch import Tensor

from wmframe.envs.actions import Actions
from wmframe.worlds.rollout import Act


@dataclass(frozen=True, kw_only=True)
class Exploration:
    """Each component is taken from the policy for ε of the time, and then held at a random value in [-1, 1].

    A choice among discrete actions is taken as a whole, and held at a random one. `epsilons` are dealt out to lanes in
    turn; 0 leaves a lane as it is. A value is held for `hold` steps on average.
    """

    epsilons: Annotated[list[Annotated[float, Ge(0), Lt(1)]], MinLen(1)]
    hold: Annotated[float, Ge(1)] = 12.0

    def dealt(self, lanes: int) -> list[float]:
        """Return every lane's ε."""
        return [self.epsilons[lane % len(self.epsilons)] for lane in range(lanes)]

    def explore(
        self, act: Act, epsilons: Sequence[float], chances: Sequence[np.random.Generator], actions: Actions
    ) -> Act:
        """Return the policy with each lane's share of exploration, drawn from the lane's own generator."""
        share = np.array(epsilons)[:, None]
        begin, end = share / (1 - share) / self.hold, 1 / self.hold
        taken: np.ndarray | None = None
        held = np.zeros(1)

        def exploring(features: Tensor) -> Tensor:
            nonlocal taken, held
            own = act(features)
            size = own.shape[-1]
            luck, drawn = np.stack([chance.random((2, actions.parts(size))) for chance in chances], 1)
            now = luck < share if taken is None else np.where(taken, luck >= end, luck < begin)
            values = actions.tried(torch.from_numpy(drawn), size).numpy()
            held = values if taken is None else np.where(now & ~taken, values, held)
            taken = now
            return torch.where(torch.from_numpy(now).to(own.device), torch.from_numpy(held).to(own), own)

        return exploring
