"""Where dreams begin: recorded latents, with the state that M had when it saw them.

Drawn once from recorded episodes by the controller stage, then part of its artefact; a Dream draws from them by seed.
Legend: N start states, Z latent, H hidden.
"""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save
from torch import Tensor

from wmframe.data.emphasis import Emphasis
from wmframe.data.latents import EpisodeRef, LatentData
from wmframe.engine.durability.files import write_atomic
from wmframe.engine.durability.tensors import Layout, read_tensors
from wmframe.engine.errors import UserError
from wmframe.memory.contract import Memory
from wmframe.memory.prediction import MemoryState

_LANES = 256
"""Episodes warmed side by side."""

_RECENT: Final = 15
"""The steps before a place whose pay says whether the car was doing well there."""


@dataclass(frozen=True)
class StartStates:
    """mu, logvar (N, Z) of a recorded frame, and M's h, c (N, H) from before it; float32."""

    mu: Tensor
    logvar: Tensor
    h: Tensor
    c: Tensor

    def to(self, device: torch.device | str) -> "StartStates":
        """Return the same states on a device."""
        return StartStates(*(getattr(self, field.name).to(device) for field in fields(self)))

    def save(self, path: Path) -> None:
        """Write one safetensors file, whole or not at all."""
        # Copies: an M's first h and c may be one tensor, which safetensors refuses.
        states = {field.name: getattr(self, field.name).cpu().contiguous().clone() for field in fields(self)}
        write_atomic(path, save(states))

    @classmethod
    def load(cls, path: Path, memory: Memory) -> "StartStates":
        """Read what `save` wrote for such a memory. Raises UserError for anything else."""
        state, latent = memory.initial(1), memory.latent_size
        sizes = {"mu": latent, "logvar": latent, "h": state.h.shape[1], "c": state.c.shape[1]}
        wanted = {name: Layout(torch.float32, (None, size)) for name, size in sizes.items()}
        found = cls(**read_tensors(path, wanted))
        if len({len(getattr(found, name)) for name in wanted}) != 1 or len(found.mu) == 0:
            raise UserError(f"{path}: its states are not all of one number", exit_code=1)
        return found


@torch.inference_mode()
def fresh_starts(memory: Memory, data: LatentData, *, count: int, seed: int) -> StartStates:
    """Draw first frames of episodes with M's initial state: the paper's Doom dreams."""
    rng = np.random.default_rng(seed)
    chosen = [data.episodes[i] for i in rng.integers(len(data.episodes), size=count)]
    rows = [(data.folders[e.folder], e.start) for e in chosen]
    state = memory.initial(count)
    return StartStates(
        torch.from_numpy(np.stack([folder.mu[row] for folder, row in rows])).float(),
        torch.from_numpy(np.stack([folder.logvar[row] for folder, row in rows])).float(),
        state.h.cpu(),
        state.c.cpu(),
    )


@torch.inference_mode()
def warmed_starts(
    memory: Memory,
    data: LatentData,
    *,
    count: int,
    seed: int,
    skip: int,
    emphasis: Emphasis,
    start_pay: float | None = None,
) -> StartStates:
    """Draw frames anywhere along episodes, M warmed on the episode up to there.

    The first `skip` steps of episodes are left out, and with a `start_pay` all places before which less was paid a
    step. Places are drawn in proportion to how many each episode offers, and as `emphasis` says.
    """
    rng = np.random.default_rng(seed)
    offered = {episode: _offered(data, episode, skip, start_pay) for episode in data.episodes}
    offered = {episode: steps for episode, steps in offered.items() if len(steps)}
    if not offered:
        raise UserError(_too_few(data, skip, start_pay))
    split = emphasis.split(list(offered), count, places=lambda episode: len(offered[episode]))
    places = [(episode, int(rng.choice(offered[episode]))) for group in split for episode in group.draw(rng)]
    groups: dict[EpisodeRef, list[int]] = {}
    for episode, step in places:
        groups.setdefault(episode, []).append(step)
    episodes = sorted(groups, key=lambda episode: (episode.steps, episode.folder, episode.start))
    parts = [
        part
        for at in range(0, len(episodes), _LANES)
        for part in _warm(memory, data, {e: groups[e] for e in episodes[at : at + _LANES]}, rng)
    ]
    return StartStates(*(torch.stack(column).float() for column in zip(*parts, strict=True)))


def _offered(data: LatentData, episode: EpisodeRef, skip: int, start_pay: float | None) -> npt.NDArray[np.int64]:
    """Return the steps of an episode at which a dream may start."""
    steps = np.arange(skip, episode.steps)
    if start_pay is None:
        return steps
    rewards = data.folders[episode.folder].rewards[episode.start : episode.start + episode.steps]
    paid = np.concatenate([[0.0], np.cumsum(rewards, dtype=np.float64)])
    since = np.maximum(steps - _RECENT, 0)
    well: npt.NDArray[np.bool_] = paid[steps] - paid[since] >= start_pay * (steps - since)
    return steps[well]


def _too_few(data: LatentData, skip: int, start_pay: float | None) -> str:
    if start_pay is not None and any(episode.steps > skip for episode in data.episodes):
        return (
            f"start_pay={start_pay:g}: nowhere were {_RECENT} recorded steps paid that much each. Lower it in "
            "first, later or last."
        )
    return f"world.skip={skip}: no recorded episode is longer than that. Lower it, or record longer episodes."


def _warm(
    memory: Memory, data: LatentData, groups: dict[EpisodeRef, list[int]], rng: np.random.Generator
) -> list[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Run M along these episodes at once and pick its states at the wanted steps."""
    episodes = list(groups)
    state, picked = memory.initial(len(episodes)), []
    for step in range(max(max(steps) for steps in groups.values()) + 1):
        rows = [(data.folders[e.folder], e.start + min(step, e.steps - 1)) for e in episodes]
        mu = np.stack([folder.mu[row] for folder, row in rows]).astype(np.float32)
        logvar = np.stack([folder.logvar[row] for folder, row in rows]).astype(np.float32)
        actions = np.stack([folder.actions[row] for folder, row in rows])
        for lane, episode in enumerate(episodes):
            for _ in range(groups[episode].count(step)):
                latent = torch.from_numpy(mu[lane]), torch.from_numpy(logvar[lane])
                # Copies: a view would keep every episode's state of that step alive.
                picked.append((*latent, state.h[lane].clone().cpu(), state.c[lane].clone().cpu()))
        z = mu + np.exp(logvar / 2) * rng.standard_normal(mu.shape, np.float32)
        state = _advance(memory, z, actions, state)
    return picked


def _advance(memory: Memory, z: np.ndarray, actions: np.ndarray, state: MemoryState) -> MemoryState:
    to = memory.device
    return memory.advance(torch.from_numpy(z).to(to), torch.from_numpy(actions).to(to), state)
