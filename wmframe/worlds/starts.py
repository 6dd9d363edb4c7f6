"""Where dreams begin: recorded latents, with the state that M had when it saw them.

Drawn once from recorded episodes by the controller stage, then part of its artefact; a Dream draws from them by seed.
Legend: N start states, L lanes, Z latent.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
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
from wmframe.memory.state import Noise, State
from wmframe.memory.unroll import followed
from wmframe.worlds.tiles import by_tiles

_LANES = 256
"""Episodes warmed side by side."""

_RECENT: Final = 15
"""The steps before a place whose pay says whether the car was doing well there."""


@dataclass(frozen=True)
class StartStates:
    """mu, logvar (N, Z) of a recorded frame, and what M packed of its state from before it, (N, …) each; float32."""

    mu: Tensor
    logvar: Tensor
    packed: Mapping[str, Tensor]

    def to(self, device: torch.device | str) -> "StartStates":
        """Return the same states on a device."""
        packed = {name: tensor.to(device) for name, tensor in self.packed.items()}
        return StartStates(self.mu.to(device), self.logvar.to(device), packed)

    def begun(self, memory: Memory, at: Tensor, z: Tensor, noise: Noise) -> State:
        """Return M's states at the starts with numbers `at` (B,), where it was z (B, Z) that V saw."""
        names = list(self.packed)

        def observe(parts: Sequence[Tensor]) -> tuple[Tensor, ...]:
            z, uniform, normal, *packed = parts
            before = memory.unpack(dict(zip(names, packed, strict=True)), len(z))
            return memory.observe(before, z, Noise(uniform, normal)).tensors

        rows = [z, noise.uniform, noise.normal, *(self.packed[name][at] for name in names)]
        return memory.initial(1).with_tensors(by_tiles(observe, rows))

    def save(self, path: Path) -> None:
        """Write one safetensors file, whole or not at all."""
        # Copies: an M's first h and c may be one tensor, which safetensors refuses.
        named = {"mu": self.mu, "logvar": self.logvar, **self.packed}
        write_atomic(path, save({name: tensor.cpu().contiguous().clone() for name, tensor in named.items()}))

    @classmethod
    def load(cls, path: Path, memory: Memory) -> "StartStates":
        """Read what `save` wrote for such a memory. Raises UserError for anything else."""
        latent = Layout(torch.float32, (None, memory.latent_size))
        packed = {
            name: Layout(_kept(tensor).dtype, (None, *tensor.shape[1:]))
            for name, tensor in memory.pack(memory.initial(1)).items()
        }
        found = read_tensors(path, {"mu": latent, "logvar": latent, **packed})
        if len({len(tensor) for tensor in found.values()}) != 1 or len(found["mu"]) == 0:
            raise UserError(f"{path}: its states are not all of one number", exit_code=1)
        return cls(found["mu"], found["logvar"], {name: found[name] for name in packed})


def _kept(tensor: Tensor) -> Tensor:
    """Numbers as they are kept: float32, whatever M computes in."""
    return tensor.float() if tensor.is_floating_point() else tensor


@torch.inference_mode()
def fresh_starts(memory: Memory, data: LatentData, *, count: int, seed: int) -> StartStates:
    """Draw first frames of episodes with M's initial state: the paper's Doom dreams."""
    rng = np.random.default_rng(seed)
    places = [(data.episodes[i], 0) for i in rng.integers(len(data.episodes), size=count)]
    return _starts(data, places, memory.pack(memory.initial(count)))


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
    mu, logvar = (torch.cat([getattr(part, name) for part in parts]) for name in ("mu", "logvar"))
    return StartStates(mu, logvar, {name: torch.cat([part.packed[name] for part in parts]) for name in parts[0].packed})


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
) -> list[StartStates]:
    """Run M along these episodes at once and pick its states at the wanted steps."""
    episodes, last = list(groups), max(max(steps) for steps in groups.values())
    state, picked = memory.initial(len(episodes)), []
    # M takes the last step too, whose state nobody wants: what is drawn for it is drawn for no other episodes.
    states = chain([state], followed(memory, _recorded(memory, data, episodes, last, rng), state))
    for state, step in zip(states, range(last + 1), strict=False):
        lanes = [lane for lane, episode in enumerate(episodes) for _ in range(groups[episode].count(step))]
        if lanes:
            places = [(episodes[lane], step) for lane in lanes]
            picked.append(_starts(data, places, memory.pack(state.rows(torch.tensor(lanes, device=state.z.device)))))
    return picked


def _recorded(
    memory: Memory, data: LatentData, episodes: Sequence[EpisodeRef], last: int, rng: np.random.Generator
) -> Iterator[tuple[Tensor, Noise, Tensor]]:
    """Yield z (L, Z) as it may have been seen, chance, and what was done (L, A); episodes that ended stand still."""
    size = memory.observing
    for step in range(last + 1):
        mu, logvar, actions = (
            np.stack([getattr(data.folders[e.folder], name)[e.start + min(step, e.steps - 1)] for e in episodes])
            for name in ("mu", "logvar", "actions")
        )
        z = mu.astype(np.float32) + np.exp(logvar.astype(np.float32) / 2) * rng.standard_normal(mu.shape, np.float32)
        uniform = rng.random((len(episodes), size.uniform), np.float32)
        normal = rng.standard_normal((len(episodes), size.normal), np.float32)
        seen, *noise, done = (torch.from_numpy(each).to(memory.device) for each in (z, uniform, normal, actions))
        yield seen, Noise(*noise), done


def _starts(data: LatentData, places: Sequence[tuple[EpisodeRef, int]], packed: Mapping[str, Tensor]) -> StartStates:
    """Put together what was recorded at these steps of episodes, and what M packed of its states from before them."""
    rows = [(data.folders[episode.folder], episode.start + step) for episode, step in places]
    mu, logvar = (
        torch.from_numpy(np.stack([getattr(folder, name)[row] for folder, row in rows])).float()
        for name in ("mu", "logvar")
    )
    # Copies: a view would keep every episode's state of that step alive.
    return StartStates(mu, logvar, {name: _kept(tensor).cpu().clone() for name, tensor in packed.items()})
