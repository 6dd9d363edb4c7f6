"""World models (Ha & Schmidhuber, 2018): the whole recipe, as sections 2 and 5 of the paper have it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Le

from wmframe.agents.initial import check_initial, initial_agent
from wmframe.engine.config.component import Component
from wmframe.engine.graph.recipe import Recipe, is_a, precision
from wmframe.engine.graph.stage import phase
from wmframe.recipes.fitting import acting, seeing
from wmframe.recipes.phases import (
    RENAMED,  # noqa: F401  # the keys of before, for whoever types one
    FinetuneSettings,
    Phase,
    PhaseSettings,
    phases,
)
from wmframe.recipes.selection import Agent, Selection, selected
from wmframe.stages import declared as stage

if TYPE_CHECKING:
    from wmframe.collect.collection import Collection
    from wmframe.controller.contract import Controller
    from wmframe.envs.spec import EnvSpec
    from wmframe.memory.contract import Memory
    from wmframe.search.settings import SearchSettings
    from wmframe.stages.evaluate import Evaluation
    from wmframe.vision.contract import Vision
    from wmframe.worlds.settings import WorldSettings


@dataclass(frozen=True, kw_only=True)
class WorldModels(Recipe):
    """One experiment: `rounds` of collect → vision → latents → memory → controller, a finetuning, a score.

    `first` says what round 1 does, `later` what rounds 2, 3, … do otherwise, and `last` what the last of these does. In
    round 1 `first_driver` plays, where a source of `collect.first` lets an agent play: a run's, or one that wmframe
    ships ("zoo/…"). V, M and C begin anew beside it, or as `first` says. With `rounds=0` nothing is recorded or fitted,
    and `finetune` has its C go on. With `evaluate=null` an agent is trained and not scored.
    """

    rounds: Annotated[int, Ge(0), Le(1000)]
    first_driver: str | None = None
    first: PhaseSettings
    later: PhaseSettings
    last: PhaseSettings
    finetune: FinetuneSettings | None = None
    env: "EnvSpec"
    collect: "Collection"
    vision: "Vision"
    memory: "Memory"
    controller: "Controller"
    world: "WorldSettings"
    search: "SearchSettings"
    select: Selection
    evaluate: "Evaluation | None"

    def result(self) -> stage.Scores | stage.TrainedAgent:
        """Train an agent, phase by phase, and score it beside the random policy."""
        agent = Agent(whole=initial_agent(self.first_driver, self.paths))
        agents: dict[int, Agent] = {}
        episodes: dict[int, stage.Episodes] = {}
        for now in phases(self):
            with phase(now.label):
                latents = None
                if now.collect is not None:
                    episodes[now.number] = self._collected(now.number, now.collect, agent)
                    agent = agent.in_parts()
                    if now.new_vision:
                        agent = agent._replace(vision=self._seen(now, episodes), seen=now.number)
                    latents = {n: self._encoded(agent, one, n) for n, one in episodes.items()}
                    agent = agent._replace(memory=self._remembered(now, agent, latents))
                agent = agents[now.number] = agent._replace(controller=self._searched(now, agent, latents))
        trained = selected(self.select, agents, episodes, env=self.env, world=self.world, seed=self.seed)
        if self.evaluate is None:
            return trained
        random = stage.baseline(env=self.env, evaluate=self.evaluate)
        return stage.evaluate(env=self.env, evaluate=self.evaluate, world=self.world, agent=trained, baseline=random)

    def _collected(self, number: int, collect: "Collection", agent: Agent) -> stage.Episodes:
        """Play with the agent that there is, or with none (section 2.1; 5, step 2)."""
        if number == 1:
            check_initial(self.first_driver, collect)
        return stage.collect(
            collect=collect,
            env=self.env,
            seed=self.seed,
            round=number,
            world=self.world if agent.acts else None,
            agent=agent.whole,
            vision=agent.vision,
            memory=agent.memory,
            controller=agent.controller,
        )

    def _seen(self, now: Phase, episodes: Mapping[int, stage.Episodes]) -> stage.FittedVision:
        """Learn to see: a variational autoencoder of single frames (section 2.2)."""
        return stage.vision(
            vision=seeing(self.vision, self.env),
            episodes=episodes,
            later_share=now.later_share if now.number > 1 else None,
            seed=self.seed,
            precision=precision(self),
        )

    def _encoded(self, agent: Agent, episodes: stage.Episodes, number: int) -> stage.EncodedEpisodes:
        """Encode what was recorded, frame by frame."""
        if agent.vision is None:
            raise TypeError("frames are encoded by a V")
        with phase(f"{agent.seen}_{number}"):
            return stage.latents(vision=agent.vision, episodes=episodes)

    def _remembered(self, now: Phase, agent: Agent, latents: stage.Latents) -> stage.FittedMemory:
        """Learn what follows: p(z', reward, end | z, action, h) (section 2.3)."""
        return stage.memory(
            memory=now.memory,
            latents=latents,
            start=agent.memory if now.continues_memory else None,
            later_share=now.later_share,
            recency=now.recency,
            seed=self.seed,
            precision=precision(self),
        )

    def _searched(self, now: Phase, agent: Agent, latents: stage.Latents | None) -> stage.TrainedController:
        """Learn to act, in M's dream or in the real environment (sections 2.4 and 4)."""
        return stage.controller(
            controller=acting(self.controller, self.env),
            search=now.search,
            world=now.world,
            env=self.env if is_a(now.world, "wmframe.worlds.settings.RealitySettings") else None,
            agent=agent.whole,
            vision=agent.vision,
            memory=agent.memory,
            latents=latents,
            start=agent.controller if now.continues_controller else None,
            later_share=None if latents is None else now.later_share,
            recency=now.recency,
            start_pay=now.start_pay,
            seed=self.seed,
        )

    def check(self, experiment: Component, allowed: Sequence[str]) -> None:
        """Build every part once, so that a mistake costs seconds and not the hours before it."""
        from wmframe.recipes.preflight import preflight

        preflight(experiment, allowed)

    def unseen(self) -> Sequence[str]:
        """Confirm on another seed and other test tracks."""
        return (*super().unseen(), "evaluate.first_seed=100000")
