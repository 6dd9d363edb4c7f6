"""M alone beside what really happened: primed on a recorded episode, then left to itself with the recorded actions.

Encoded steps of one episode come in, latents to decode go out. Called by the report and by `wmframe watch`.
Legend: T steps, Z latent, K mixtures, A action.
"""

import torch
from torch import Tensor

from wmframe.memory.contract import Memory
from wmframe.memory.mixture import Mixture
from wmframe.memory.unroll import followed, imagined


@torch.inference_mode()
def foreseen(memory: Memory, z: Tensor, actions: Tensor) -> Mixture:
    """Return what M said of each next z (T - 1, K, Z) along z (T, Z), recorded or dreamt, and actions (T, A)."""
    seen, said = memory.observing.middle(z[:1]), memory.imagining.middle(z[:1])
    recorded = ((z[t : t + 1], seen, actions[t : t + 1]) for t in range(len(z) - 1))
    states = followed(memory, recorded, memory.initial(1))
    return Mixture(torch.cat([memory.imagine(state, said, 1.0)[0].latent.parts for state in states]))


@torch.inference_mode()
def open_loop(memory: Memory, z: Tensor, actions: Tensor, *, primed: int, temperature: float, seed: int) -> Tensor:
    """Return latents (T, Z): the recorded z (T, Z) for `primed` steps, then M's own samples at τ = `temperature`.

    `actions` (T, A) are the recorded ones throughout; action t is the one taken at z t.
    """
    chance, size = torch.Generator().manual_seed(seed), memory.imagining
    noises = [size.split(size.draw(chance, 1).to(z.device)) for _ in range(1, len(z))]
    last = min(primed, len(z)) - 1
    seen = memory.observing.middle(z[:1])
    recorded = ((z[t : t + 1], seen, actions[t : t + 1]) for t in range(last))
    *_, state = memory.initial(1), *followed(memory, recorded, memory.initial(1))
    done = iter(actions[last:, None])
    start = memory.observe(state, z[last : last + 1], seen)
    alone = imagined(memory, start, lambda _: next(done), noises[last:], temperature)
    return torch.cat([z[: last + 1], *(state.z for _, state in alone)])
