"""Open the world that C is trained in: the dream that a config names, or the environment. Called by the stages."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from wmframe.controller.contract import Senses
from wmframe.data.emphasis import Emphasis
from wmframe.data.latents import EncodedEpisodes, LatentData
from wmframe.data.seeds import draw_seeds
from wmframe.engine.runs.context import StageContext
from wmframe.envs.spec import EnvSpec
from wmframe.memory.contract import Memory
from wmframe.stages.environments import environments_apart
from wmframe.stages.models import STARTS
from wmframe.vision.contract import Vision
from wmframe.worlds.dream import Dream
from wmframe.worlds.reality import Reality
from wmframe.worlds.settings import DreamSettings, RealitySettings
from wmframe.worlds.starts import StartStates, fresh_starts, warmed_starts


@contextmanager
def dream_world(
    context: StageContext, settings: DreamSettings, memory: Memory, senses: Senses, draw: Callable[[], StartStates]
) -> Iterator[Dream]:
    """Open the dream that C is searched in; its start states are drawn and saved with C."""
    file = context.output / STARTS
    if not file.is_file():
        draw().save(file)
        context.kept.add(file)
    yield dream(settings, memory, StartStates.load(file, memory), senses)


@contextmanager
def real_world(
    context: StageContext, settings: RealitySettings, env: EnvSpec, vision: Vision, memory: Memory, senses: Senses
) -> Iterator[Reality]:
    """Open the environment that C is searched in."""
    with environments_apart(env, context.machine) as (first, *others):
        yield Reality(
            batch=first,
            others=others,
            vision=vision,
            memory=memory,
            senses=senses,
            sample_latent=settings.sample_latent,
            most_steps=settings.most_steps,
        )


def dream(settings: DreamSettings, memory: Memory, starts: StartStates, senses: Senses) -> Dream:
    """Make the dream that the settings describe."""
    return Dream(
        memory=memory,
        starts=starts,
        senses=senses,
        horizon=settings.horizon,
        temperature=settings.temperature,
        done_rule=settings.done_rule,
        bootstrap=settings.bootstrap,
    )


def draw_starts(
    settings: DreamSettings,
    memory: Memory,
    latents: Mapping[int, Path],
    *,
    seed: int,
    emphasis: Emphasis,
    start_pay: float | None,
) -> StartStates:
    """Draw the states that dreams start from, out of encoded episodes."""
    data = LatentData([EncodedEpisodes.load(folder) for folder in latents.values()])
    drawn = draw_seeds("train", (seed, "starts"), 1)[0]
    if settings.start == "fresh":
        return fresh_starts(memory, data, count=settings.starts, seed=drawn)
    return warmed_starts(
        memory,
        data,
        count=settings.starts,
        seed=drawn,
        skip=settings.skip,
        emphasis=emphasis,
        start_pay=start_pay,
    )
