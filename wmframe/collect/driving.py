"""The last round's driver, as it is and perturbed: data from where the agent really goes (paper, section 5).

Perturbed parameters and noisy actions show M what happens beside the driver's own line. Legend: B lanes, A action.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from annotated_types import MinLen
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt

from wmframe.collect.contract import LANES, Batches, EpisodeBatch, Setting, Source
from wmframe.collect.noise import noisy
from wmframe.data.seeds import draw_seeds
from wmframe.worlds.driver import Driver
from wmframe.worlds.rollout import Act, population_act


@dataclass(frozen=True, kw_only=True)
class Driving(Source):
    """Half of the episodes are driven by the driver, half by ones whose parameters differ by `parameter_noise`.

    Every episode's actions carry normal noise, its deviation taken in turn from `action_noise`, clipped to [-1, 1].
    """

    episodes: NonNegativeInt
    parameter_noise: NonNegativeFloat = 0.03
    action_noise: Annotated[list[NonNegativeFloat], MinLen(1)]
    most_steps: PositiveInt | None = None
    origin = "driver"

    def planned_steps(self, limit: int) -> int:
        """Return the steps of all episodes at full length."""
        return self.episodes * min(limit, self.most_steps or limit)

    def batches(self, setting: Setting) -> Batches:
        """Yield the episodes, `LANES` at a time; none in the first round, which has no driver yet."""
        driver = setting.driver
        if driver is None:
            return
        world = driver.awake(setting.batch, most_steps=self.most_steps)
        seeds = draw_seeds("train", (setting.seed, setting.source, setting.round), self.episodes)
        for at in range(0, self.episodes, LANES):
            part = seeds[at : at + LANES]
            noises = [self.action_noise[i % len(self.action_noise)] for i in range(len(part))]
            yield EpisodeBatch(
                world=world,
                act=self._act(driver, part, noises),
                seeds=part,
                policies=[
                    f"driver_{'perturbed' if self._perturbed(lane) else 'mean'}_{noise:g}"
                    for lane, noise in enumerate(noises)
                ],
            )

    def _perturbed(self, lane: int) -> bool:
        """Whether a lane's driver is perturbed: every noise meets both kinds."""
        return lane // len(self.action_noise) % 2 == 1

    def _act(self, driver: Driver, seeds: Sequence[int], noises: Sequence[float]) -> Act:
        chances = [np.random.default_rng((seed, 3)) for seed in seeds]
        mean = driver.parameters.cpu().numpy()
        drivers = np.stack([mean] * len(seeds))
        for lane, chance in enumerate(chances):
            if self._perturbed(lane):
                drivers[lane] += self.parameter_noise * chance.standard_normal(len(mean))
        steered = population_act(driver.controller, torch.from_numpy(drivers).to(driver.parameters))
        return noisy(steered, noises, chances)
