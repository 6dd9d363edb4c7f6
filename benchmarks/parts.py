"""The paper's V, M and C with random weights, and the worlds they are timed in. Legend: B lanes, P population."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from wmframe.controller.linear import Linear
from wmframe.envs.batch import EnvBatch
from wmframe.memory.mdn_rnn import MDNRNN
from wmframe.vision.conv_vae import ConvVAE
from wmframe.worlds.contract import World
from wmframe.worlds.dream import Dream
from wmframe.worlds.reality import Reality
from wmframe.worlds.rollout import population_act
from wmframe.worlds.starts import StartStates

LATENT, ACTION, HIDDEN, MIXTURES = 32, 3, 256, 5
ROLLOUTS = 16


def memory(hidden: int = HIDDEN, mixtures: int = MIXTURES, latent: int = LATENT) -> MDNRNN:
    """Return an M of the paper's sizes unless told otherwise."""
    torch.manual_seed(0)
    return MDNRNN(latent_size=latent, action_size=ACTION, hidden_size=hidden, mixtures=mixtures).eval()


def dream(of: MDNRNN, horizon: int = 50) -> Dream:
    """Return dreams of it that nothing ends but the horizon."""
    chance = torch.Generator().manual_seed(1)
    latent, hidden = of.latent_size, of.hidden_size
    starts = StartStates(
        torch.randn(256, latent, generator=chance),
        torch.full((256, latent), -4.0),
        {name: 0.1 * torch.randn(256, hidden, generator=chance) for name in ("h", "c")},
    )
    return Dream(memory=of, starts=starts, senses="zh", horizon=horizon, temperature=1.0, done_rule="never")


def reality(batch: EnvBatch, rest: MDNRNN) -> Reality:
    """Return the waking world of the paper's V and this M."""
    return Reality(batch=batch, vision=ConvVAE(latent_size=LATENT), memory=rest, senses="zh", sample_latent=True)


def linear(of: MDNRNN) -> Linear:
    """Return the paper's linear C."""
    return Linear(latent_size=of.latent_size, hidden_size=of.hidden_size, action_size=ACTION)


def population(of: MDNRNN, candidates: int) -> Callable[[Tensor], Tensor]:
    """Return C with random parameters, for a population that shares the lanes."""
    controller = linear(of)
    chance = torch.Generator().manual_seed(2)
    return population_act(controller, 0.1 * torch.randn(candidates, controller.size, generator=chance))


class Live:
    """A burst of steps in a world; when its episodes have ended, new ones begin within the burst."""

    def __init__(self, world: World, act: Callable[[Tensor], Tensor], seeds: Sequence[int], steps: int) -> None:
        self._world, self._act, self._seeds, self._steps = world, act, seeds, steps
        self._features = world.reset(seeds).features
        self._done = False

    @torch.inference_mode()
    def __call__(self) -> float:
        """Take `steps` steps; return how many lanes' steps that were."""
        if self._done:
            self._features = self._world.reset(self._seeds).features
        for _ in range(self._steps):
            step = self._world.step(self._act(self._features))
            self._features = step.features
        self._done = bool(step.done.any())
        return float(self._steps * len(self._seeds))
