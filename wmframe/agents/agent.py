"""From a run to its driver: open its agent, and rebuild what it drove and dreamt.

A run comes in, an `Agent` goes out. The one place that does this, for whoever shows or lends out a finished driver:
films and the Gymnasium environments. Reports open all artefacts of a run here too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from wmframe.agents.find import agent_of
from wmframe.engine.config.bind import Component, bind
from wmframe.engine.config.building import build_as, build_part
from wmframe.engine.errors import UserError
from wmframe.engine.runs.runs import Run, StageRecord
from wmframe.engine.store.artefact import Artefact
from wmframe.engine.store.store import Store
from wmframe.envs.spec import EnvSpec
from wmframe.stages.models import STARTS, agent_parts, load_driver
from wmframe.worlds.dream import Dream
from wmframe.worlds.driver import Driver
from wmframe.worlds.settings import WorldSettings
from wmframe.worlds.starts import StartStates


@dataclass(frozen=True, kw_only=True)
class Agent:
    """A run's driver, the environment it drives in, the world it was trained in, and where its dreams start.

    `starts` is None for a driver that was trained awake. `config` is what the world was built of, from modules in
    `allowed`.
    """

    run: Run
    driver: Driver
    env: EnvSpec
    world: WorldSettings
    starts: StartStates | None
    config: Component
    allowed: Sequence[str]

    def dream(self, *, temperature: float | None = None, horizon: int | None = None) -> Dream:
        """Make the dream it was trained in, or one of another temperature or horizon (steps).

        Raises UserError for an impossible value, or if the driver was not trained in a dream.
        """
        if not self.world.dreamt or self.starts is None:
            raise UserError(f"{self.run.name} was not trained in a dream, so it has no states to dream from")
        told = {"temperature": temperature, "horizon": horizon}
        changed = {name: value for name, value in told.items() if value is not None}
        world = self._another_world(changed) if changed else self.world
        return world.dream(self.driver.memory, self.starts, self.driver.controller.senses)

    def _another_world(self, changed: Mapping[str, object]) -> WorldSettings:
        """Return the world's settings with some changed, held to the same limits as in a YAML file."""
        part = bind({**self.config.plain(), **changed}, allowed=self.allowed, path="world")
        return build_as(part, WorldSettings, allowed=self.allowed, path="world")


def load_agent(run: Run, *, allowed: Sequence[str], device: torch.device | str = "cpu") -> Agent:
    """Rebuild a run's driver from its agent, every byte of it checked.

    `allowed` names the modules that components may come from. Raises UserError if the run has no driver yet, or an
    artefact is missing or damaged.
    """
    parts = agent_parts(agent_artefact(run).path)
    experiment = run.experiment(allowed)
    world = build_part(experiment, "world", WorldSettings, allowed=allowed)
    starts = parts.controller / STARTS
    driver = load_driver(parts, world=world, allowed=allowed, device=torch.device(device))
    return Agent(
        run=run,
        driver=driver,
        env=build_part(experiment, "env", EnvSpec, allowed=allowed),
        world=world,
        starts=StartStates.load(starts, driver.memory) if starts.is_file() else None,
        config=experiment.part("world"),
        allowed=tuple(allowed),
    )


def agent_artefact(run: Run) -> Artefact:
    """Return a run's agent, every byte checked.

    Raises UserError if the run has none yet, or it is missing or damaged.
    """
    [agent] = open_artefacts(run, [agent_of(run)]).values()
    return agent


def open_artefacts(run: Run, stages: Sequence[StageRecord]) -> dict[str, Artefact]:
    """Return artefacts of a run by their names in the graph, every byte checked, or raise UserError."""
    store = Store(run.root / "artefacts")
    found = {}
    for stage in stages:
        artefact = store.find(stage.stage, stage.key)
        if artefact is None:
            raise UserError(
                f"{run.name}: its {stage.name} ({stage.stage}/{stage.key}) is missing or damaged under "
                f"{run.root / 'artefacts'}. Type its command again to compute it: {run.record().command}",
                exit_code=1,
            )
        found[stage.name] = artefact
    return found
