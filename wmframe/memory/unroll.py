"""M step after step, written once: along what was recorded, and left to itself.

Called for start states, open-loop measures, the differentiable dream and films; the fast path of a dream
(`Imagination`) is tested against it. Legend: B lanes, Z latent, A action.
"""

from collections.abc import Callable, Iterable, Iterator

from torch import Tensor

from wmframe.memory.contract import Memory
from wmframe.memory.prediction import Prediction
from wmframe.memory.rules import Reparameterization
from wmframe.memory.state import Noise, State


def followed(memory: Memory, recorded: Iterable[tuple[Tensor, Noise, Tensor]], state: State) -> Iterator[State]:
    """Yield the state after each recorded step: z (B, Z) seen with this noise, and action (B, A) done at it."""
    for z, noise, action in recorded:
        state = memory.advance(memory.observe(state, z, noise), action)
        yield state


def imagined(
    memory: Memory,
    state: State,
    act: Callable[[State], Tensor],
    noises: Iterable[Noise],
    temperature: float,
    reparameterization: Reparameterization = "component",
) -> Iterator[tuple[Prediction, State]]:
    """Yield what M says and where it then is, from a state on whose z was observed; `act` says what is done there."""
    for noise in noises:
        said, state = memory.imagine(memory.advance(state, act(state)), noise, temperature, reparameterization)
        yield said, state
