import pytest
import torch
from torch import Tensor

from tests.worlds.toys import A, Z, memory
from wmframe.worlds.open_loop import foreseen, open_loop

STEPS = 10


def recorded() -> tuple[Tensor, Tensor]:
    chance = torch.Generator().manual_seed(4)
    return torch.randn(STEPS, Z, generator=chance), torch.rand(STEPS, A, generator=chance) * 2 - 1


def dreamt(primed: int, *, seed: int = 0, temperature: float = 1.0) -> Tensor:
    z, actions = recorded()
    return open_loop(memory(), z, actions, primed=primed, temperature=temperature, seed=seed)


@pytest.mark.parametrize("primed", [1, 4, STEPS - 1])
def test_what_was_primed_stays_and_the_rest_is_ms(primed: int) -> None:
    z, _ = recorded()
    seen = dreamt(primed)
    assert seen.shape == z.shape
    assert torch.equal(seen[:primed], z[:primed])
    assert not (seen[primed:] == z[primed:]).any()


def test_primed_throughout_it_is_the_recording() -> None:
    assert torch.equal(dreamt(STEPS), recorded()[0])


def test_seeds_draw_other_dreams_and_equal_ones_the_same() -> None:
    assert torch.equal(dreamt(4), dreamt(4))
    assert not torch.equal(dreamt(4)[4:], dreamt(4, seed=1)[4:])


def test_cold_it_follows_ms_likeliest_path_along_the_recorded_actions() -> None:
    _z, actions = recorded()
    m, seen = memory(), dreamt(3, temperature=1e-12)
    state = m.initial(1)
    with torch.inference_mode():
        for t in range(STEPS - 1):
            state = m.advance(state.but(z=seen[t : t + 1]), actions[t : t + 1])
            if t >= 2:
                said, _ = m.imagine(state, m.imagining.middle(state.z), 1.0)
                torch.testing.assert_close(seen[t + 1 : t + 2], said.latent.mode(), atol=1e-4, rtol=0)


def test_what_is_foreseen_along_a_dream_is_what_it_was_drawn_from() -> None:
    """At next to no temperature a dream takes the mode of what M said."""
    z, actions = dreamt(4, temperature=1e-9), recorded()[1]
    said = foreseen(memory(), z, actions)
    assert said.logits.shape[0] == STEPS - 1
    assert torch.allclose(said.mode()[3:], z[4:], atol=1e-3)
    assert not torch.allclose(said.mode()[:3], z[1:4], atol=1e-3)
