"""A driver, as it is and perturbed: data from where the agent really goes (paper, section 5).

It is the last round's; in the first round an agent that was finished before.

Perturbed parameters and exploration show M what happens beside the driver's own line. Legend: B lanes, A action.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt

from wmframe.collect.contract import Batches, EpisodeBatch, Origin, Setting, Source
from wmframe.collect.exploration import Exploration
from wmframe.envs.actions import ACTIONS, Actions
from wmframe.worlds.driver import Driver
from wmframe.worlds.rollout import Act, population_act


def _policy(perturbed: bool, epsilon: float) -> str:
    return f"driver_{'perturbed' if perturbed else 'mean'}_{epsilon:g}"


UNPERTURBED: Final = _policy(perturbed=False, epsilon=0.0)
"""What an episode's policy is called that is the driver as it is: its own parameters, and no exploration."""


@dataclass(frozen=True, kw_only=True)
class Driving(Source):
    """Half of the episodes are driven by the driver, half by ones whose parameters differ by `parameter_noise`.

    The epsilons of `exploration` are dealt out to the episodes in turn.
    """

    episodes: NonNegativeInt
    parameter_noise: NonNegativeFloat = 0.03
    exploration: Exploration
    most_steps: PositiveInt | None = None

    def origin(self, setting: Setting) -> Origin:
        """Return what its episodes are called."""
        if setting.round == 1:
            return "driver from elsewhere"
        dreamt = setting.driver is not None and setting.driver.dreamt
        return "dream-trained driver" if dreamt else "track-trained driver"

    def planned_steps(self, limit: int) -> int:
        """Return the steps of all episodes at full length."""
        return self.episodes * min(limit, self.most_steps or limit)

    def batches(self, setting: Setting) -> Batches:
        """Yield the episodes, `LANES` at a time; none without a driver."""
        driver = setting.driver
        if driver is None:
            return
        world = driver.awake(setting.batch, most_steps=self.most_steps)
        for part in setting.turns(self.episodes):
            epsilons = self.exploration.dealt(len(part))
            yield EpisodeBatch(
                world=world,
                act=self._act(driver, part, epsilons, ACTIONS[setting.batch.spec.actions]),
                seeds=part,
                policies=[_policy(self._perturbed(lane), epsilon) for lane, epsilon in enumerate(epsilons)],
            )

    def _perturbed(self, lane: int) -> bool:
        """Whether a lane's driver is perturbed: every epsilon meets both kinds."""
        return lane // len(self.exploration.epsilons) % 2 == 1

    def _act(self, driver: Driver, seeds: Sequence[int], epsilons: Sequence[float], actions: Actions) -> Act:
        chances = [np.random.default_rng((seed, 3)) for seed in seeds]
        mean = driver.parameters.cpu().numpy()
        drivers = np.stack([mean] * len(seeds))
        for lane, chance in enumerate(chances):
            if self._perturbed(lane):
                drivers[lane] += self.parameter_noise * chance.standard_normal(len(mean))
        steered = population_act(driver.controller, torch.from_numpy(drivers).to(driver.parameters))
        return self.exploration.explore(steered, epsilons, chances, actions)
