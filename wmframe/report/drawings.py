"""What V and M draw for a run's page: reconstructions, samples, the latent canvas, dreams.

A run's agent comes in; pictures and curves go out. Called by `gather`.
Legend: T steps, A action, Z latent.
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from wmframe.agents.agent import Agent
from wmframe.data.episodes import EpisodeReader
from wmframe.memory.contract import Memory
from wmframe.report.canvas import nats, paint, telling, typical
from wmframe.report.contents import Canvas, Curve, Frames, OpenLoop, Reconstructions, in_colour
from wmframe.report.hesitation import hesitation
from wmframe.report.horizon import error_by_horizon
from wmframe.vision.contract import Vision
from wmframe.worlds.open_loop import foreseen, open_loop

_SHOWN = 16
"""Reconstructions and prior samples on the page."""

_STEPS, _PRIMED, _DREAMS = 80, 20, 16
"""Open-loop dreams: their length, how much of it M is shown, and how many the error by horizon is a mean of."""

_ROWS, _TILE = 4_000, 256
"""Frames that say what z spans, at most, and how many are encoded at once."""


@dataclass(frozen=True)
class Pictures:
    """What V and M drew; whatever they cannot is missing."""

    reconstructions: Reconstructions | None = None
    prior_samples: Frames | None = None
    canvas: Canvas | None = None
    dream: OpenLoop | None = None
    dream_curves: Sequence[Curve] = ()


@dataclass(frozen=True)
class Recorded:
    """A piece of a held-out episode: frames (T, H, W, channels) and the actions (T, A) taken at them."""

    frames: Frames
    actions: np.ndarray


@dataclass(frozen=True)
class Sample:
    """Held-out episodes: pieces to dream along, of which the first is the beginning of the longest; frames
    (N, H, W, channels) spread over all; and all frames.
    """

    pieces: Sequence[Recorded]
    spread: Frames
    frames: Frames


def draw_pictures(agent: Agent, folder: Path) -> Pictures:
    """Let an agent's V and M draw what they make of the sample of episodes in its `folder`."""
    vision, memory, sample = agent.driver.vision, agent.driver.memory, recorded(folder)
    normal = torch.randn(_SHOWN, vision.latent_size, generator=torch.Generator().manual_seed(0))
    temperature = float(agent.config.arguments.get("temperature", 1.0))  # type: ignore[arg-type]
    learned = vision.steps > 0
    mu, logvar = latents(vision, sample.frames)
    asleep, curves = None, list[Curve]()
    if memory.dreams:
        said = telling(nats(mu, logvar)).tolist()
        asleep, curves = _dreams(vision, memory, sample.pieces, said, temperature)
    return Pictures(
        reconstructions=Reconstructions(in_colour(sample.spread), decode(vision, encode(vision, sample.spread))),
        prior_samples=decode(vision, normal) if learned else None,
        canvas=paint(vision, mu, logvar, typical(mu)) if learned else None,
        dream=asleep,
        dream_curves=curves,
    )


def recorded(agent: Path) -> Sample:
    """Read the episodes in an agent's folder."""
    with closing(EpisodeReader([agent])) as reader:
        everyone = range(len(reader.episodes))
        episodes, actions = [reader.frames(n) for n in everyone], [reader.steps(n).actions for n in everyone]
    steps = [len(taken) for taken in actions]
    longest = steps.index(max(steps))
    places = [(n, start) for n in everyone for start in range(0, max(1, steps[n] - _STEPS + 1), _PRIMED)]
    others = [place for place in places if place != (longest, 0)]
    further = [others[at] for at in np.linspace(0, len(others) - 1, min(_DREAMS - 1, len(others))).astype(int)]
    pieces = [
        Recorded(episodes[n][start : min(start + _STEPS, steps[n])], actions[n][start : start + _STEPS])
        for n, start in [(longest, 0), *further]
    ]
    shown = [(episodes[int(at * (len(steps) - 1))], at) for at in np.linspace(0, 1, _SHOWN)]
    spread = np.stack([frames[int(at * (len(frames) - 1))] for frames, at in shown])
    return Sample(pieces, spread, np.concatenate(episodes))


@torch.inference_mode()
def latents(vision: Vision, frames: Frames) -> tuple[Tensor, Tensor]:
    """Return mu and logvar (N, Z) of frames (T, H, W, channels), some spread over all where there are very many."""
    every = -(-len(frames) // _ROWS)
    found = [vision.encode(part) for part in torch.split(torch.from_numpy(frames[::every]), _TILE)]
    return torch.cat([latent.mu for latent in found]), torch.cat([latent.logvar for latent in found])


@torch.inference_mode()
def encode(vision: Vision, frames: Frames) -> Tensor:
    """Return mu (T, Z) of frames (T, H, W, channels)."""
    return vision.encode(torch.from_numpy(frames)).mu


@torch.inference_mode()
def decode(vision: Vision, latents: Tensor) -> Frames:
    """Return the frames (T, H, W, 3) of latents (T, Z)."""
    return in_colour(vision.decode(latents).numpy())


def _dreams(
    vision: Vision, memory: Memory, pieces: Sequence[Recorded], dimensions: Sequence[int], temperature: float
) -> tuple[OpenLoop, list[Curve]]:
    """Let M dream along every piece, after it was shown its beginning; return the first dream, and what all say."""
    loops, dreamt = [], []
    for seed, piece in enumerate(pieces):
        actions, primed = torch.from_numpy(piece.actions), min(_PRIMED, len(piece.frames))
        seen = encode(vision, piece.frames)
        dreamt.append(open_loop(memory, seen, actions, primed=primed, temperature=temperature, seed=seed))
        loops.append(OpenLoop(in_colour(piece.frames), decode(vision, dreamt[-1]), primed))
    said = foreseen(memory, dreamt[0], torch.from_numpy(pieces[0].actions))
    weights = hesitation(said, dimensions, primed=loops[0].primed_steps, temperature=temperature)
    return loops[0], [error_by_horizon(loops), *weights]
