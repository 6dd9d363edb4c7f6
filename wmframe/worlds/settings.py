"""Where C lives while it is searched for: the schemas of conf/world, each of which opens its own world.

A kind of world is a class below `WorldSettings`; a third is one file and one YAML. Read while planning: what a world is
made of is imported where it is opened.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from wmframe.data.seeds import draw_seeds
from wmframe.engine.errors import UserError
from wmframe.worlds.rules import DoneRule

if TYPE_CHECKING:
    from wmframe.envs.spec import EnvSpec
    from wmframe.memory.contract import Memory
    from wmframe.memory.rules import Senses
    from wmframe.worlds.contract import World
    from wmframe.worlds.dream import Dream
    from wmframe.worlds.inputs import WorldInputs
    from wmframe.worlds.starts import StartStates


@dataclass(frozen=True, kw_only=True)
class WorldSettings(ABC):
    """What all worlds have: `sample_latent` draws z from V when awake, as the paper does; otherwise z is mu."""

    sample_latent: bool = True

    @property
    @abstractmethod
    def dreamt(self) -> bool:
        """Whether C learns in a dream of M's here. Its agent can then `dream` again, and is scored there too."""

    @property
    def differentiable(self) -> bool:
        """Whether the world that is opened has a gradient (`World.differentiable`), for C to climb."""
        return False

    @abstractmethod
    def check(self, memory: "Memory", env: "EnvSpec") -> None:
        """Raise UserError, before any work, for an M or an environment that this world cannot be made of."""

    def most_steps_of(self, env: "EnvSpec") -> int:
        """Return how long an episode of `env` lasts here at the most (steps), where it is the real one."""
        return env.most_steps

    @abstractmethod
    def open(self, inputs: "WorldInputs") -> "AbstractContextManager[World]":
        """Open the world that C is searched for in; what is `dreamt` keeps its start states by `inputs.keep_starts`."""

    def dream(self, memory: "Memory", starts: "StartStates", senses: "Senses", *, scored: bool = False) -> "Dream":
        """Return the dream of an agent that was trained here, from the start states that were kept with its C.

        With `scored` it pays what its steps pay and nothing that M expects after the horizon: what is to be set beside
        a real return. Called only where the world is `dreamt`.
        """
        raise TypeError(f"world: {type(self).__name__} is no dream")


@dataclass(frozen=True, kw_only=True)
class DreamSettings(WorldSettings):
    """C is searched for inside M, at temperature τ = `temperature`, in dreams of `horizon` steps.

    Dreams start from one of `starts` recorded states: anywhere along the episodes but for their first `skip` steps,
    M warmed up to there ("warmed"), or an episode's first frame and M's initial state ("fresh", as in the paper).
    `done_rule` says when M's done ends a dream. With `bootstrap` a dream that the horizon ends is paid what M expects
    of the `memory.value_steps` steps after it: where C leaves the car then counts, as it does awake.
    """

    horizon: PositiveInt
    temperature: PositiveFloat = 1.0
    done_rule: DoneRule = "sample"
    start: Literal["warmed", "fresh"] = "warmed"
    starts: PositiveInt = 2048
    skip: NonNegativeInt = 0
    bootstrap: bool = False

    @property
    def dreamt(self) -> bool:
        """It is the dream."""
        return True

    @property
    def differentiable(self) -> bool:
        """Its gradient is taken through M."""
        return True

    def check(self, memory: "Memory", env: "EnvSpec") -> None:
        """Raise UserError for an M that predicts nothing, or not the value that dreams are to be paid."""
        if not memory.dreams:
            raise UserError(
                "memory=none predicts nothing, so there is no dream to search in. Add world=reality, or use another "
                "memory."
            )
        if self.bootstrap and not memory.value_steps:
            raise UserError(
                "world.bootstrap=true pays at the horizon what M expects to come after it, and this M expects nothing. "
                f"Add memory.value_steps={env.most_steps // 4 or 1}, or world.bootstrap=false."
            )

    @contextmanager
    def open(self, inputs: "WorldInputs") -> "Iterator[World]":
        """Draw the states that dreams start from, unless that was done before, and dream."""
        starts = inputs.keep_starts(partial(self._drawn, inputs))
        yield self.dream(inputs.memory, starts, inputs.senses)

    def dream(self, memory: "Memory", starts: "StartStates", senses: "Senses", *, scored: bool = False) -> "Dream":
        """Return the dream that the settings describe."""
        from wmframe.worlds.dream import Dream

        return Dream(
            memory=memory,
            starts=starts,
            senses=senses,
            horizon=self.horizon,
            temperature=self.temperature,
            done_rule=self.done_rule,
            bootstrap=self.bootstrap and not scored,
        )

    def _drawn(self, inputs: "WorldInputs") -> "StartStates":
        """Draw the states that dreams start from, out of what was recorded."""
        from wmframe.worlds.starts import fresh_starts, warmed_starts

        seed = draw_seeds("train", (inputs.seed, "starts"), 1)[0]
        if self.start == "fresh":
            return fresh_starts(inputs.memory, inputs.recorded(), count=self.starts, seed=seed)
        return warmed_starts(
            inputs.memory,
            inputs.recorded(),
            count=self.starts,
            seed=seed,
            skip=self.skip,
            emphasis=inputs.emphasis,
            start_pay=inputs.start_pay,
        )


@dataclass(frozen=True, kw_only=True)
class RealitySettings(WorldSettings):
    """C is searched for in the environment; `most_steps` ends the search's episodes early."""

    most_steps: PositiveInt | None = None

    @property
    def dreamt(self) -> bool:
        """It is not."""
        return False

    def check(self, memory: "Memory", env: "EnvSpec") -> None:
        """Take any M and any environment."""

    def most_steps_of(self, env: "EnvSpec") -> int:
        """Return the shorter of both limits."""
        return env.most_steps if self.most_steps is None else min(env.most_steps, self.most_steps)

    @contextmanager
    def open(self, inputs: "WorldInputs") -> "Iterator[World]":
        """Open the environment, seen through V; raises TypeError for a stage that was given none."""
        from wmframe.worlds.reality import Reality

        if inputs.environments is None:
            raise TypeError(f"world: {type(self).__name__} needs an environment")
        vision = inputs.vision()
        with inputs.environments() as (first, *others):
            yield Reality(
                batch=first,
                others=others,
                vision=vision,
                memory=inputs.memory,
                senses=inputs.senses,
                sample_latent=self.sample_latent,
                most_steps=self.most_steps,
            )
