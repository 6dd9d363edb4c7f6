"""What V and M draw for a run's page: reconstructions, samples, the latent canvas, dreams.

A run's agent, and what it can be shown, come in; pictures and curves go out. Called by `gather`.
Legend: T steps, A action, Z latent.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from wmframe.config.bind import Component
from wmframe.data.episodes import EpisodeReader, split
from wmframe.data.latents import EncodedEpisodes
from wmframe.files import read_json
from wmframe.memory.contract import Memory
from wmframe.pipeline.artefact import Artefact
from wmframe.report.canvas import nats, paint, telling, typical
from wmframe.report.contents import Canvas, Curve, Frames, OpenLoop, Reconstructions
from wmframe.report.hesitation import hesitation
from wmframe.report.horizon import error_by_horizon
from wmframe.stages.models import agent_parts, load_memory, load_vision
from wmframe.vision.contract import Vision
from wmframe.worlds.open_loop import foreseen, open_loop

_SHOWN = 16
"""Reconstructions and prior samples on the page."""

_STEPS, _PRIMED, _DREAMS = 80, 20, 16
"""Open-loop dreams: their length, how much of it M is shown, and how many the error by horizon is a mean of."""

_ROWS = 10_000
"""Encoded frames that say what z spans, spread over all."""

_CPU = torch.device("cpu")


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
    """A piece of a held-out episode: frames (T, 64, 64, 3) and the actions (T, A) taken at them."""

    frames: Frames
    actions: np.ndarray


def draw_pictures(artefacts: Mapping[str, Artefact], experiment: Component, allowed: Sequence[str]) -> Pictures:
    """Let the agent's V and M draw; `artefacts` are the run's, by their names in the graph."""
    newest = {artefact.stage: artefact for artefact in artefacts.values()}
    if not {"collect", "agent", "latents"} <= newest.keys():
        return Pictures()
    parts = agent_parts(newest["agent"].path)
    vision = load_vision(parts["vision"], allowed=allowed, device=_CPU)
    memory = load_memory(parts["memory"], allowed=allowed, device=_CPU)
    pieces, spread = recorded(newest["collect"].path)
    normal = torch.randn(_SHOWN, vision.latent_size, generator=torch.Generator().manual_seed(0))
    temperature = float(experiment.part("world").arguments.get("temperature", 1.0))  # type: ignore[arg-type]
    learned = vision.steps > 0
    mu, logvar = latents(_encoded_by_the_agent(artefacts, newest["agent"]))
    asleep, curves = None, list[Curve]()
    if memory.dreams:
        said = telling(nats(mu, logvar)).tolist()
        asleep, curves = _dreams(vision, memory, pieces, said, temperature)
    return Pictures(
        reconstructions=Reconstructions(spread, decode(vision, encode(vision, spread))),
        prior_samples=decode(vision, normal) if learned else None,
        canvas=paint(vision, mu, logvar, typical(mu)) if learned else None,
        dream=asleep,
        dream_curves=curves,
    )


def _encoded_by_the_agent(artefacts: Mapping[str, Artefact], agent: Artefact) -> Path:
    """Return the newest latents that the agent's own V made: a later round may have refitted V."""
    number = read_json(agent.file("agent.json"))["round"]
    vision = agent.manifest["parents"][f"vision.{number}"]
    return [
        a.path for a in artefacts.values() if a.manifest["parents"].get("vision") == vision and a.stage == "latents"
    ][-1]


def recorded(folder: Path) -> tuple[list[Recorded], Frames]:
    """Return pieces of held-out episodes to dream along, and frames spread over all of them.

    The first piece is the beginning of the longest episode; the others are spread over the episodes and along them.
    """
    with closing(EpisodeReader([folder])) as reader:
        _, held_out = split(len(reader.episodes))
        longest = max(held_out, key=lambda number: reader.episodes[number].steps)
        starts = {n: range(0, max(1, reader.episodes[n].steps - _STEPS + 1), _PRIMED) for n in held_out}
        others = [(n, start) for n in held_out for start in starts[n] if (n, start) != (longest, 0)]
        further = [others[at] for at in np.linspace(0, len(others) - 1, min(_DREAMS - 1, len(others))).astype(int)]
        pieces = [_piece(reader, number, start) for number, start in [(longest, 0), *further]]
        places = np.linspace(0, 1, _SHOWN)
        chosen = [held_out[int(place * (len(held_out) - 1))] for place in places]
        at = [int(place * reader.episodes[number].steps) for place, number in zip(places, chosen, strict=True)]
        frames = np.concatenate([reader.frames(n, t, t + 1) for n, t in zip(chosen, at, strict=True)])
    return pieces, frames


def latents(folder: Path) -> tuple[Tensor, Tensor]:
    """Return mu and logvar (N, Z) of encoded frames, some spread over all where there are very many."""
    encoded = EncodedEpisodes.load(folder)
    every = max(1, len(encoded.mu) // _ROWS)
    mu, logvar = (torch.from_numpy(rows[::every].astype(np.float32)) for rows in (encoded.mu, encoded.logvar))
    return mu, logvar


@torch.inference_mode()
def encode(vision: Vision, frames: Frames) -> Tensor:
    """Return mu (T, Z) of frames (T, 64, 64, 3)."""
    return vision.encode(torch.from_numpy(frames)).mu


@torch.inference_mode()
def decode(vision: Vision, latents: Tensor) -> Frames:
    """Return the frames (T, 64, 64, 3) of latents (T, Z)."""
    pixels: Frames = vision.decode(latents).numpy()
    return pixels


def _dreams(
    vision: Vision, memory: Memory, pieces: Sequence[Recorded], dimensions: Sequence[int], temperature: float
) -> tuple[OpenLoop, list[Curve]]:
    """Let M dream along every piece, after it was shown its beginning; return the first dream, and what all say."""
    loops, dreamt = [], []
    for seed, piece in enumerate(pieces):
        actions, primed = torch.from_numpy(piece.actions), min(_PRIMED, len(piece.frames))
        seen = encode(vision, piece.frames)
        dreamt.append(open_loop(memory, seen, actions, primed=primed, temperature=temperature, seed=seed))
        loops.append(OpenLoop(piece.frames, decode(vision, dreamt[-1]), primed))
    said = foreseen(memory, dreamt[0], torch.from_numpy(pieces[0].actions))
    weights = hesitation(said, dimensions, primed=loops[0].primed_steps, temperature=temperature)
    return loops[0], [error_by_horizon(loops), *weights]


def _piece(reader: EpisodeReader, number: int, start: int) -> Recorded:
    stop = min(start + _STEPS, reader.episodes[number].steps)
    return Recorded(reader.frames(number, start, stop), reader.steps(number).actions[start:stop])
