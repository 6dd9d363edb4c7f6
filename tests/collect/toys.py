"""Sources at their smallest, and a setting to collect in."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tests.worlds.toys import A, H, Z, memory, vision
from wmframe.collect.blind import Brownian, Held
from wmframe.collect.contract import EpisodeBatch, Setting, Source
from wmframe.collect.driving import Driving
from wmframe.collect.evolving import Evolving
from wmframe.collect.exploration import Exploration
from wmframe.collect.networks import RandomNetworks
from wmframe.controller.linear import Linear
from wmframe.envs.batch import SerialBatch
from wmframe.envs.toy import Toy
from wmframe.memory.mdn_rnn import MDNRNN
from wmframe.memory.none import NoMemory
from wmframe.search.settings import Search
from wmframe.vision.conv_vae import ConvVAE
from wmframe.vision.none import NoVision
from wmframe.worlds.driver import Driver
from wmframe.worlds.rollout import rollout

FRAMES = 6


def evolving(**keys: int) -> Evolving:
    return Evolving(
        exploration=Exploration(epsilons=[0.0]),
        vision=NoVision(latent_size=16),
        memory=NoMemory(latent_size=16, action_size=A),
        controller=Linear(latent_size=16, hidden_size=0, action_size=A, senses="z"),
        search=Search(population=6, rollouts=2, generations=3, **keys),  # type: ignore[arg-type]
        most_steps=4,
    )


def networks(episodes: int) -> RandomNetworks:
    return RandomNetworks(
        vision=ConvVAE(latent_size=Z, width=2, steps=0),
        memory=MDNRNN(latent_size=Z, action_size=A, hidden_size=H, steps=0),
        controller=Linear(latent_size=Z, hidden_size=H, action_size=A),
        episodes=episodes,
        spread=0.3,
    )


def driving(episodes: int) -> Driving:
    return Driving(episodes=episodes, parameter_noise=0.5, exploration=Exploration(epsilons=[0.0, 0.4]))


SOURCES: dict[str, tuple[Source, int]] = {
    "brownian": (Brownian(episodes=70), 70),
    "held": (Held(episodes=5, longest=3), 5),
    "networks": (networks(66), 66),
    "driving": (driving(68), 68),
    "evolving": (evolving(), 36),
    "none at all": (Held(episodes=0), 0),
}


def driver() -> Driver:
    controller = Linear(latent_size=Z, hidden_size=H, action_size=A)
    parameters = torch.randn(controller.size, generator=torch.Generator().manual_seed(0))
    return Driver(
        vision=vision(), memory=memory(), controller=controller, parameters=parameters, sample_latent=True, dreamt=True
    )


@contextmanager
def setting(*, seed: int = 0, number: int = 2, max_frames: int = FRAMES, driven: bool = True) -> Iterator[Setting]:
    with SerialBatch(Toy(max_frames=max_frames)) as batch:
        yield Setting(
            source="mine", batch=batch, action_size=A, seed=seed, round=number, driver=driver() if driven else None
        )


@dataclass(frozen=True)
class Played:
    """A batch that was played: what it said of itself, the actions (T, B, A) and the returns (B,)."""

    seeds: Sequence[int]
    policies: Sequence[str]
    actions: Tensor
    returns: np.ndarray


def play(batch: EpisodeBatch) -> Played:
    done: list[Tensor] = []
    outcome = rollout(
        batch.world,
        batch.act,
        batch.seeds,
        watch=lambda _, actions: None if actions is None else done.append(actions.clone()),
    )
    return Played(batch.seeds, batch.policies, torch.stack(done), outcome.returns.numpy())


def collect(source: Source, where: Setting, *, known: Sequence[np.ndarray] = ()) -> list[Played]:
    """Play all that a source yields; the first batches are not played if their returns are `known`."""
    batches, played, returns = source.batches(where), list[Played](), list(known)
    try:
        batch = next(batches)
        for number in range(10_000):
            if number >= len(returns):
                played.append(play(batch))
                returns.append(played[-1].returns)
            batch = batches.send(returns[number])
    except StopIteration:
        pass
    return played
