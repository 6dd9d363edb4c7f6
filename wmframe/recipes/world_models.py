"""World models (Ha & Schmidhuber, 2018): the whole recipe, as sections 2 and 5 of the paper have it.

collect      a policy plays; frames, actions and rewards are recorded                          (2.1, appendix A)
vision       V learns to see: a VAE of single frames                                           (2.2)
latents      V encodes every recorded frame
memory       M learns what follows: p(z', reward, end | z, action, h)                          (2.3)
controller   C learns to act, in M's dream or in the real environment                          (2.4, 4)
again        the agent collects what its dream was wrong about, and all continue from there    (5)
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, NamedTuple

from annotated_types import Ge, Le

from wmframe.agents.initial import check_initial, initial_agent
from wmframe.agents.pin import fetch
from wmframe.engine.config.component import Component
from wmframe.engine.errors import UserError
from wmframe.engine.graph.node import Node
from wmframe.engine.graph.recipe import Recipe, component, is_a, precision, settings
from wmframe.engine.graph.stage import phase
from wmframe.engine.graph.work import Work
from wmframe.engine.store.artefact import Artefact
from wmframe.engine.store.store import Store
from wmframe.recipes.rounds import Finish, LastRound, LaterRounds, Round, rounds_of
from wmframe.stages import declared as stage
from wmframe.stages.declared import (
    EncodedEpisodes,
    Episodes,
    FittedMemory,
    FittedVision,
    Scores,
    TrainedAgent,
    TrainedController,
)
from wmframe.stages.workload import work_of

if TYPE_CHECKING:
    from wmframe.collect.collection import Collection
    from wmframe.controller.contract import Controller
    from wmframe.envs.spec import EnvSpec
    from wmframe.memory.contract import Memory
    from wmframe.search.settings import SearchSettings
    from wmframe.stages.evaluate import Evaluation
    from wmframe.vision.contract import Vision
    from wmframe.worlds.settings import WorldSettings


class Parts(NamedTuple):
    """What a round ends with: V, M and C that go together."""

    vision: FittedVision
    memory: FittedMemory
    controller: TrainedController


@dataclass(frozen=True, kw_only=True)
class WorldModels(Recipe):
    """One experiment: `rounds` of collect → vision → latents → memory → controller, a `finish`, a score.

    In round 1 `first_driver` drives, where a source of `collect.first` lets a driver drive: a run with an agent, or one
    that wmframe ships ("zoo/…"). Nothing else of it is handed on: V, M and C begin afresh. With `rounds` 0 nothing is
    recorded or fitted: its V and M are kept, and its C goes on from where it is, as `finish` says.
    """

    rounds: Annotated[int, Ge(0), Le(1000)]
    first_driver: str | None = None
    later_rounds: LaterRounds
    env: "EnvSpec"
    collect: "Collection"
    vision: "Vision"
    memory: "Memory"
    controller: "Controller"
    world: "WorldSettings"
    search: "SearchSettings"
    last_round: LastRound | None = None
    finish: Finish | None = None
    evaluate: "Evaluation"

    def result(self) -> Scores:
        """Train an agent, or let one go on, and score it beside the random policy."""
        agent = self._trained() if self.rounds else self._gone_on()
        random = stage.baseline(env=self.env, evaluate=self.evaluate)
        return stage.evaluate(env=self.env, evaluate=self.evaluate, world=self.world, agent=agent, baseline=random)

    def _trained(self) -> TrainedAgent:
        """Collect, see, remember, act; and again, with the agent that came of it (section 5)."""
        episodes: dict[int, Episodes] = {}
        agents: dict[int, Parts] = {}
        for now in self._rounds():
            n, last = now.number, agents.get(now.number - 1)
            with phase(f"{n}"):
                episodes[n] = self._collected(now, last)
                if now.fits_vision or last is None:
                    vision, seen = self._seen(now, episodes), n
                latents = {k: self._encoded(vision, e, f"{seen}_{k}") for k, e in episodes.items()}
                memory = stage.memory(
                    memory=now.memory,
                    latents=latents,
                    start=last.memory if last and now.continues_memory else None,
                    later_share=now.later_share,
                    recency=now.recency,
                    seed=self.seed,
                    precision=precision(self),
                )
                controller = stage.controller(
                    controller=self.controller,
                    search=now.search,
                    world=self.world,
                    env=self.env if is_a(self.world, "wmframe.worlds.settings.RealitySettings") else None,
                    vision=vision,
                    memory=memory,
                    latents=latents,
                    start=last.controller if last and now.continues_controller else None,
                    later_share=now.later_share,
                    recency=now.recency,
                    start_pay=now.start_pay,
                    seed=self.seed,
                )
            agents[n] = Parts(vision, memory, controller)
        if self.finish is not None:
            agents[n] = agents[n]._replace(controller=self._finished(f"{n}_awake", agents[n]))
        return self._agent(episodes, agents)

    def _collected(self, now: Round, last: Parts | None) -> Episodes:
        """Play with the last round's agent; in the first with the one that was there before, or with none."""
        before = None if last else self._initial(now)
        return stage.collect(
            collect=now.collect,
            env=self.env,
            seed=self.seed,
            round=now.number,
            world=self.world if last or before is not None else None,
            agent=before,
            vision=last and last.vision,
            memory=last and last.memory,
            controller=last and last.controller,
        )

    def _seen(self, now: Round, episodes: Mapping[int, Episodes]) -> FittedVision:
        return stage.vision(
            vision=self.vision,
            episodes=dict(episodes),
            later_share=now.later_share if now.number > 1 else None,
            seed=self.seed,
            precision=precision(self),
        )

    def _encoded(self, vision: FittedVision, episodes: Episodes, label: str) -> EncodedEpisodes:
        with phase(label):
            return stage.latents(vision=vision, episodes=episodes)

    def _finished(self, label: str, last: Parts | None = None, agent: TrainedAgent | None = None) -> TrainedController:
        """Have C, of the last round or of a whole agent, continue in the real environment."""
        assert self.finish is not None  # noqa: S101  # the callers have seen to it
        finish = settings(self.finish)
        with phase(label):
            return stage.controller(
                controller=self.controller,
                search=finish.search,
                world=finish.world,
                env=self.env,
                agent=agent,
                vision=last and last.vision,
                memory=last and last.memory,
                start=last and last.controller,
                seed=self.seed,
            )

    def _agent(self, episodes: Mapping[int, Episodes], agents: Mapping[int, Parts]) -> TrainedAgent:
        """Take the last round's agent, or let the best of all rounds be chosen by what each earns in reality."""
        later = settings(self.later_rounds)
        last, several = max(agents), len(agents) > 1
        chosen = later.chosen if several else "last"
        eligible = agents if chosen == "awake" else {last: agents[last]}
        trials = {}
        if several and (chosen == "awake" or later.trials):
            trials = {n: self._tried(n, parts, later.select_episodes) for n, parts in agents.items()}
        return stage.agent(
            chosen=chosen,
            episodes=episodes,
            visions={n: parts.vision for n, parts in eligible.items()},
            memories={n: parts.memory for n, parts in eligible.items()},
            controllers={n: parts.controller for n, parts in eligible.items()},
            trials=trials or None,
        )

    def _tried(self, number: int, parts: Parts, episodes: int) -> Scores:
        with phase(f"{number}"):
            return stage.select(
                env=self.env,
                world=self.world,
                seed=self.seed,
                episodes=episodes,
                vision=parts.vision,
                memory=parts.memory,
                controller=parts.controller,
            )

    def _gone_on(self) -> TrainedAgent:
        """Keep V and M of an agent that was there before, and have its C continue in the real environment."""
        if self.first_driver is None:
            raise UserError(
                "rounds=0 trains no V, M or C, so it needs a finished agent to go on from: add "
                "first_driver=zoo/car_racing_dream, or a run of yours. Or use rounds=1."
            )
        if self.finish is None:
            raise UserError(
                f"rounds=0 and finish=null leave {self.first_driver} nothing to do. Add finish=awake, or score it as "
                f"it is: wmframe evaluate {self.first_driver.partition('@')[0]}"
            )
        before = initial_agent(self.first_driver, self.paths)
        return stage.agent(chosen="last", agent=before, controllers={0: self._finished("0_awake", agent=before)})

    def _initial(self, now: Round) -> TrainedAgent | None:
        """Return the agent that plays in round 1, if there is one; raise UserError unless a source asks for it."""
        check_initial(self.first_driver, component(now.collect).arguments["first"])
        return None if self.first_driver is None else initial_agent(self.first_driver, self.paths)

    def _rounds(self) -> Iterator[Round]:
        return rounds_of(
            self.rounds,
            settings(self.later_rounds),
            None if self.last_round is None else settings(self.last_round),
            collect=self.collect,
            memory=self.memory,
            search=self.search,
        )

    def check(self, experiment: Component, allowed: Sequence[str]) -> None:
        """Build every part once, so that a mistake costs seconds and not the hours before it."""
        from wmframe.recipes.preflight import preflight

        preflight(experiment, allowed)

    def fetch(self, node: Node, store: Store) -> Artefact:
        """Bring the agent that was there before into the project."""
        return fetch(node.origin, store)

    def unseen(self) -> Sequence[str]:
        """Confirm on another seed and other test tracks."""
        return (*super().unseen(), "evaluate.first_seed=100000")

    def work(self, node: Node) -> Work | None:
        """Judge by the table of what each kind of stage took once."""
        return work_of(node)
