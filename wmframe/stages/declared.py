"""The stages of world models: what each result's key holds, and what it is made of. The work is done in the files
beside this one, which `run` names; nothing heavy is imported here, so that planning answers at once.

An argument at its default stands in no key.
"""

# mypy: disable-error-code="empty-body"

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from wmframe.engine.graph.stage import Handle, stage

if TYPE_CHECKING:
    from wmframe.collect.collection import Collection
    from wmframe.controller.contract import Controller
    from wmframe.envs.spec import EnvSpec
    from wmframe.memory.contract import Memory
    from wmframe.search.settings import SearchSettings
    from wmframe.stages.evaluate import Evaluation
    from wmframe.vision.contract import Vision
    from wmframe.worlds.settings import WorldSettings


_AMOUNTS: Final = (
    *("steps", "most_steps", "episodes", "population", "rollouts", "select_rollouts", "generations", "updates"),
    *("climbs", "dreams", "batch_size", "sequence", "horizon", "max_frames", "action_repeat", "round"),
)
"""Fields on which the work grows, wherever they stand: a result that differs in one says nothing of the time."""

_USUAL: Final = {"env.actions": "box", "env.frame_shape": [64, 64, 3], "**.vision.frame_shape": [64, 64, 3]}
"""What all environments' actions and frames were before there was a word for it."""


class Episodes(Handle):
    """Recorded episodes, frames and all."""


class FittedVision(Handle):
    """V's config and weights."""


class EncodedEpisodes(Handle):
    """Episodes as V encoded them."""


Latents = Mapping[int, EncodedEpisodes]
"""Every round's encoded episodes."""


class FittedMemory(Handle):
    """M's config and weights."""


class TrainedController(Handle):
    """C's config and parameters, with the states that its dreams start from."""


class Scores(Handle):
    """Returns and lengths of episodes."""


class TrainedAgent(Handle):
    """V, M and C in one folder."""


@stage(
    version=4,
    run="wmframe.stages.collect:run",
    work="wmframe.stages.workload:collect",
    amounts=_AMOUNTS,
    added=_USUAL,
    publishes="episodes",
)
def collect(
    *,
    collect: "Collection",
    env: "EnvSpec",
    seed: int,
    round: int,
    world: "WorldSettings | None" = None,
    agent: TrainedAgent | None = None,
    vision: FittedVision | None = None,
    memory: FittedMemory | None = None,
    controller: TrainedController | None = None,
) -> Episodes:
    """Play episodes: by the sources of `collect` alone, or with an agent, whole or in its parts, as the driver."""


@stage(
    version=3,
    run="wmframe.stages.vision:run",
    work="wmframe.stages.workload:vision",
    amounts=_AMOUNTS,
    added=_USUAL,
    rebuilt=True,
    roles={"episodes": "collect"},
    length=["vision.steps"],
)
def vision(
    *, vision: "Vision", seed: int, precision: str, episodes: Mapping[int, Episodes], later_share: float | None = None
) -> FittedVision:
    """Fit V on the frames of all collections."""


@stage(
    version=2,
    run="wmframe.stages.latents:run",
    work="wmframe.stages.workload:latents",
    amounts=_AMOUNTS,
    sized_by="collect",
    roles={"episodes": "collect"},
)
def latents(*, vision: FittedVision, episodes: Episodes) -> EncodedEpisodes:
    """Encode a collection."""


@stage(
    version=3,
    run="wmframe.stages.memory:run",
    work="wmframe.stages.workload:memory",
    amounts=_AMOUNTS,
    rebuilt=True,
    roles={"start": "memory"},
    length=["memory.steps"],
)
def memory(
    *,
    memory: "Memory",
    seed: int,
    precision: str,
    latents: Latents,
    later_share: float,
    recency: float | None = None,
    start: FittedMemory | None = None,
) -> FittedMemory:
    """Fit M on encoded episodes, from the weights of `start` if there is one."""


@stage(
    version=3,
    run="wmframe.stages.controller:run",
    work="wmframe.stages.workload:controller",
    amounts=_AMOUNTS,
    rebuilt=True,
    roles={"start": "controller"},
    length=["search.generations", "search.updates"],
    added={
        **_USUAL,
        "search.climbs": 1,
        "search.risk_tolerance": None,
        "search.value_weight": 1.0,
        "search.reparameterization": "component",
    },
)
def controller(
    *,
    controller: "Controller",
    search: "SearchSettings",
    world: "WorldSettings",
    seed: int,
    later_share: float | None = None,
    recency: float | None = None,
    start_pay: float | None = None,
    env: "EnvSpec | None" = None,
    agent: TrainedAgent | None = None,
    vision: FittedVision | None = None,
    memory: FittedMemory | None = None,
    latents: Latents | None = None,
    start: TrainedController | None = None,
) -> TrainedController:
    """Search for C in a dream of M's, or awake in `env`, from the parameters of `start` if there is one.

    V and M are those given, or with a whole `agent` its own, whose C goes on.
    """


@stage(
    version=3, run="wmframe.stages.select:run", work="wmframe.stages.workload:select", amounts=_AMOUNTS, added=_USUAL
)
def select(
    *,
    env: "EnvSpec",
    world: "WorldSettings",
    seed: int,
    episodes: int,
    vision: FittedVision,
    memory: FittedMemory,
    controller: TrainedController,
) -> Scores:
    """Score one round's V, M and C on validation seeds."""


@stage(
    version=4,
    run="wmframe.stages.agent:run",
    work="wmframe.stages.workload:agent",
    amounts=_AMOUNTS,
    rebuilt=True,
    publishes="agent",
    roles={"episodes": "collect", "visions": "vision", "memories": "memory", "controllers": "controller"}
    | {"trials": "select"},
)
def agent(
    *,
    chosen: str,
    controllers: Mapping[int, TrainedController],
    episodes: Mapping[int, Episodes] | None = None,
    visions: Mapping[int, FittedVision] | None = None,
    memories: Mapping[int, FittedMemory] | None = None,
    trials: Mapping[int, Scores] | None = None,
    agent: TrainedAgent | None = None,
) -> TrainedAgent:
    """Put together V, M and C of the last round, of the best by `trials`, or those of `agent` with another C."""


@stage(version=1, run="wmframe.stages.agent:vision_of", rebuilt=True)
def vision_of(*, agent: TrainedAgent) -> FittedVision:
    """Take V out of an agent."""


@stage(version=1, run="wmframe.stages.agent:memory_of", rebuilt=True)
def memory_of(*, agent: TrainedAgent) -> FittedMemory:
    """Take M out of an agent."""


@stage(version=1, run="wmframe.stages.agent:controller_of", rebuilt=True)
def controller_of(*, agent: TrainedAgent) -> TrainedController:
    """Take C out of an agent."""


@stage(
    version=1,
    run="wmframe.stages.baseline:run",
    work="wmframe.stages.workload:baseline",
    amounts=_AMOUNTS,
    added=_USUAL,
    publishes="scores",
)
def baseline(*, env: "EnvSpec", evaluate: "Evaluation") -> Scores:
    """Score the random policy on test seeds."""


@stage(
    version=7,
    run="wmframe.stages.evaluate:run",
    work="wmframe.stages.workload:evaluate",
    amounts=_AMOUNTS,
    added=_USUAL,
    publishes="scores",
)
def evaluate(
    *, env: "EnvSpec", evaluate: "Evaluation", world: "WorldSettings", agent: TrainedAgent, baseline: Scores
) -> Scores:
    """Score an agent on test seeds, really and in the dream it was trained in."""


STAGES: Final = (
    *(collect, vision, latents, memory, controller, select, agent, vision_of, memory_of, controller_of),
    *(baseline, evaluate),
)
"""All of them."""
