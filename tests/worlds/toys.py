"""Tiny worlds to live in: untrained V and M, the toy environment, recorded latents that are noise."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from tests.data.test_latents import encoded
from tests.plugins.gru_memory import GRUMemory
from tests.plugins.rssm_memory import RSSM
from tests.plugins.transformer_memory import TransformerMemory
from wmframe.data.latents import EncodedEpisodes, LatentData
from wmframe.envs.batch import EnvBatch, SerialBatch
from wmframe.envs.toy import Toy
from wmframe.memory.contract import Memory
from wmframe.memory.mdn_rnn import MDNRNN
from wmframe.memory.rules import Senses
from wmframe.vision.contract import Vision
from wmframe.vision.conv_vae import ConvVAE
from wmframe.worlds.contract import Step, World
from wmframe.worlds.dream import Dream
from wmframe.worlds.reality import Reality
from wmframe.worlds.rules import DoneRule
from wmframe.worlds.starts import StartStates

Z, A, H = 4, 1, 8
FRAMES = 12

Make = Callable[[], World]


def memory(*, mixtures: int = 3, done_bias: float = 0.0, value_steps: int = 0) -> MDNRNN:
    """An M that was never trained; `done_bias` makes ends rarer or commoner."""
    torch.manual_seed(11)
    made = MDNRNN(
        latent_size=Z,
        action_size=A,
        hidden_size=H,
        mixtures=mixtures,
        calibrate_done=False,
        value_steps=value_steps,
    ).eval()
    with torch.no_grad():
        made.done.bias.add_(done_bias)
        made.lstm.weight_ih_l0.mul_(4)  # type: ignore[operator]  # else all states look alike
    return made


def vision() -> ConvVAE:
    """A V that was never trained."""
    torch.manual_seed(12)
    return ConvVAE(latent_size=Z, width=4).eval()


def recorded(lengths: list[int] | None = None, *, seed: int = 0) -> EncodedEpisodes:
    """Encoded episodes whose latents and actions are noise."""
    made = encoded([9, 5, 7] if lengths is None else lengths, latent=Z, action=A, seed=seed)
    rng = np.random.default_rng((seed, 1))
    made.mu[:] = rng.standard_normal(made.mu.shape)
    made.logvar[:] = -2.0
    made.actions[:] = rng.uniform(-1, 1, made.actions.shape)
    return made


def data() -> LatentData:
    return LatentData([recorded()])


def start_states(count: int = 5) -> StartStates:
    """Start states that are noise."""
    chance = torch.Generator().manual_seed(13)
    mu, logvar = torch.randn(count, Z, generator=chance), torch.full((count, Z), -1.0)
    return StartStates(mu, logvar, {name: torch.randn(count, H, generator=chance) for name in ("h", "c")})


def dream(
    *,
    of: Memory | None = None,
    starts: StartStates | None = None,
    senses: Senses = "zh",
    horizon: int = FRAMES,
    temperature: float = 1.0,
    done_rule: DoneRule = "sample",
    bootstrap: bool = False,
) -> Dream:
    return Dream(
        memory=memory(done_bias=-2.0) if of is None else of,
        starts=start_states() if starts is None else starts,
        senses=senses,
        horizon=horizon,
        temperature=temperature,
        done_rule=done_rule,
        bootstrap=bootstrap,
    )


def reality(
    *,
    seen_by: Vision | None = None,
    of: Memory | None = None,
    senses: Senses = "zh",
    sample_latent: bool = True,
    most_steps: int | None = None,
    max_frames: int = FRAMES,
    batches: Sequence[EnvBatch] = (),
) -> Reality:
    first, *others = batches or [SerialBatch(Toy(max_frames=max_frames))]
    return Reality(
        batch=first,
        others=others,
        vision=vision() if seen_by is None else seen_by,
        memory=memory() if of is None else of,
        senses=senses,
        sample_latent=sample_latent,
        most_steps=most_steps,
    )


def other_memory(kind: type[GRUMemory] | type[TransformerMemory] | type[RSSM]) -> Memory:
    """An M of the tests' plugins that was never trained."""
    torch.manual_seed(14)
    return kind(latent_size=Z, action_size=A, hidden_size=16).eval()  # narrower products may round by alignment


def started(of: Memory) -> StartStates:
    """Starts where M remembers nothing yet."""
    states = start_states()
    return replace(states, packed=of.pack(of.initial(len(states.mu))))


def dream_of(kind: type[GRUMemory] | type[TransformerMemory] | type[RSSM]) -> Dream:
    of = other_memory(kind)
    return dream(of=of, starts=started(of))


WORLDS: dict[str, Make] = {
    "dream, sampled ends": dream,
    "dream, no ends, z alone": lambda: dream(done_rule="never", senses="z"),
    "dream, bootstrapped": lambda: dream(of=memory(done_bias=-2.0, value_steps=3), bootstrap=True),
    "dream, cell too, cold": lambda: dream(senses="zhc", temperature=0.1),
    "dream, a gru's": lambda: dream_of(GRUMemory),
    "dream, a transformer's": lambda: dream_of(TransformerMemory),
    "dream, an rssm's": lambda: dream_of(RSSM),
    "reality": reality,
    "reality, a transformer's": lambda: reality(of=other_memory(TransformerMemory)),
    "reality, an rssm's": lambda: reality(of=other_memory(RSSM)),
    "reality, mean latent, cell too": lambda: reality(senses="zhc", sample_latent=False),
    "reality, short": lambda: reality(most_steps=5),
}


def act(features: Tensor) -> Tensor:
    """Drive by the first features alone: element by element, so that it cannot mix lanes. Often near ±1."""
    return torch.tanh(4 * features[:, :A] - 2 * features[:, 1 : 1 + A])


def live(world: World, seeds: list[int], *, drive: Callable[[Tensor], Tensor] = act, beyond: int = 0) -> list[Step]:
    """All that happens until every lane is done, and for some steps after; the first entry is the reset."""
    steps = [_kept(world.reset(seeds))]
    while not bool(steps[-1].done.all()) or beyond > 0:
        beyond -= bool(steps[-1].done.all())
        steps.append(_kept(world.step(drive(steps[-1].features))))
    return steps


def _kept(step: Step) -> Step:
    return Step(step.features.clone(), step.reward.clone(), step.done.clone(), step.observed)


def lane(steps: list[Step], number: int) -> list[tuple[list[float], float, bool]]:
    """One lane's features, rewards and dones up to its end, bit for bit comparable."""
    seen = []
    for step in steps:
        seen.append((step.features[number].tolist(), float(step.reward[number]), bool(step.done[number])))
        if seen[-1][2]:
            break
    return seen
