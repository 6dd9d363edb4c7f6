"""Which V, M and C are the agent: those of the last round, or of the one that earns most in the real environment.

The agents of all rounds come in, as handles; the one that is scored and handed on goes out. Called by the recipe.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from annotated_types import Gt, Le

from wmframe.engine.graph.recipe import settings
from wmframe.engine.graph.stage import phase
from wmframe.stages import declared as stage
from wmframe.stages.declared import Episodes, FittedMemory, FittedVision, Scores, TrainedAgent, TrainedController

if TYPE_CHECKING:
    from wmframe.envs.spec import EnvSpec
    from wmframe.worlds.settings import WorldSettings


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which round's V, M and C are the agent: those of the "last", or of the best "awake".

    That is the best by its mean return over so many whole `episodes` on select seeds, the same for all rounds. A
    dream's return cannot choose: it rises while the real one falls when C has found a fault of M. With `trials` all
    rounds are tried so, even if the last is the agent: for the curve.
    """

    chosen: Literal["last", "awake"] = "last"
    episodes: Annotated[int, Gt(0), Le(100_000)] = 32
    trials: bool = False


class Agent(NamedTuple):
    """V, M and C that act together, and the round that V was fitted in; or the `whole` of one that was there before."""

    vision: FittedVision | None = None
    memory: FittedMemory | None = None
    controller: TrainedController | None = None
    seen: int = 0
    whole: TrainedAgent | None = None

    @property
    def acts(self) -> bool:
        """Whether there is one."""
        return self.whole is not None or self.controller is not None

    def in_parts(self) -> "Agent":
        """Return the same agent as its V, M and C."""
        if self.whole is None:
            return self
        return Agent(
            vision=stage.vision_of(agent=self.whole),
            memory=stage.memory_of(agent=self.whole),
            controller=stage.controller_of(agent=self.whole),
        )


def selected(
    selection: Selection,
    agents: Mapping[int, Agent],
    episodes: Mapping[int, Episodes],
    *,
    env: "EnvSpec",
    world: "WorldSettings",
    seed: int,
) -> TrainedAgent:
    """Take the last round's agent, or let the best of all rounds be chosen by what each earns in reality."""
    how, last = settings(selection), max(agents)
    chosen = how.chosen if len(agents) > 1 else "last"
    eligible = agents if chosen == "awake" else {last: agents[last]}
    trials: dict[int, Scores] = {}
    if len(agents) > 1 and (chosen == "awake" or how.trials):
        for number, (vision, memory, controller, *_) in agents.items():
            if vision is None or memory is None or controller is None:
                raise TypeError("a round ends with a V, an M and a C")
            with phase(f"{number}"):
                trials[number] = stage.select(
                    env=env,
                    world=world,
                    seed=seed,
                    episodes=how.episodes,
                    vision=vision,
                    memory=memory,
                    controller=controller,
                )
    return stage.agent(
        chosen=chosen,
        agent=agents[last].whole,
        episodes=episodes or None,
        visions={n: agent.vision for n, agent in eligible.items() if agent.vision is not None} or None,
        memories={n: agent.memory for n, agent in eligible.items() if agent.memory is not None} or None,
        controllers={n: agent.controller for n, agent in eligible.items() if agent.controller is not None},
        trials=trials or None,
    )
