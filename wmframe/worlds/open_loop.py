"""M alone beside what really happened: primed on a recorded episode, then left to itself with the recorded actions.

Encoded steps of one episode come in, latents to decode go out. Called by the report and by `wmframe watch`.
Legend: T steps, Z latent, K mixtures, A action.
"""

import torch
from torch import Tensor

from wmframe.memory.contract import Memory
from wmframe.memory.mixture import Mixture


@torch.inference_mode()
def foreseen(memory: Memory, z: Tensor, actions: Tensor) -> Mixture:
    """Return what M said of each next z (T - 1, K, Z) along z (T, Z), recorded or dreamt, and actions (T, A)."""
    state, said = memory.initial(1), []
    for step in range(len(z) - 1):
        state = memory.advance(z[step : step + 1], actions[step : step + 1], state)
        said.append(memory.predict(state).latent.parts)
    return Mixture(torch.cat(said))


@torch.inference_mode()
def open_loop(memory: Memory, z: Tensor, actions: Tensor, *, primed: int, temperature: float, seed: int) -> Tensor:
    """Return latents (T, Z): the recorded z (T, Z) for `primed` steps, then M's own samples at τ = `temperature`.

    `actions` (T, A) are the recorded ones throughout; action t is the one taken at z t.
    """
    chance = torch.Generator().manual_seed(seed)
    state, seen = memory.initial(1), [z[:1]]
    for step in range(1, len(z)):
        state = memory.advance(seen[-1], actions[step - 1 : step], state)
        uniform = torch.rand(1, z.shape[1], generator=chance).to(z.device)
        normal = torch.randn(1, z.shape[1], generator=chance).to(z.device)
        alone = step >= primed
        dreamt = memory.predict(state).latent.sample(uniform, normal, temperature) if alone else z[step : step + 1]
        seen.append(dreamt)
    return torch.cat(seen)
