"""What every M must do, run over all of them."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from tests.memory.windows import window
from tests.vision.fitting import fit_a_little
from wmframe.engine.errors import UserError
from wmframe.memory.contract import Memory
from wmframe.memory.imagination import StepByStep
from wmframe.memory.mdn_rnn import MDNRNN
from wmframe.memory.none import NoMemory
from wmframe.memory.prediction import MemoryState, Prediction

Z, A = 3, 2
KINDS: dict[str, Callable[[], Memory]] = {
    "mdn_rnn": lambda: MDNRNN(latent_size=Z, action_size=A, hidden_size=8, mixtures=4, dropout=0.1, steps=3),
    "mdn_rnn, one mixture": lambda: MDNRNN(latent_size=Z, action_size=A, hidden_size=1, mixtures=1, steps=3),
    "mdn_rnn, no heads": lambda: MDNRNN(
        latent_size=Z, action_size=A, hidden_size=8, reward_weight=0.0, done_weight=0.0, steps=3
    ),
    "mdn_rnn, a value": lambda: MDNRNN(latent_size=Z, action_size=A, hidden_size=8, value_steps=4, steps=3),
    "untrained": lambda: MDNRNN(latent_size=Z, action_size=A, hidden_size=8, steps=0),
    "none": lambda: NoMemory(latent_size=Z, action_size=A),
}


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest) -> Callable[[], Memory]:
    torch.manual_seed(0)
    return KINDS[request.param]


def walk(memory: Memory, z: Tensor, actions: Tensor) -> MemoryState:
    """The state after steps (B, T)."""
    state = memory.initial(len(z))
    for step in range(actions.shape[1]):
        state = memory.advance(z[:, step], actions[:, step], state)
    return state


def flat(said: Prediction) -> list[Tensor]:
    return [said.latent.logits, said.latent.mean, said.latent.log_std, said.reward, said.done]


@pytest.mark.parametrize("batch", [1, 5])
def test_the_state_keeps_its_shape(make: Callable[[], Memory], batch: int) -> None:
    memory, data = make().eval(), window(batch=batch, latent=Z, action=A)
    for state in (memory.initial(batch), walk(memory, data.mu, data.actions)):
        assert state.h.shape == state.c.shape == (batch, memory.hidden_size)
        assert state.h.dtype == state.c.dtype == torch.float32
        assert torch.isfinite(state.h).all()


def test_it_dreams_or_refuses_to_and_says_what_to_do(make: Callable[[], Memory]) -> None:
    memory, data = make().eval(), window(batch=5, latent=Z, action=A)
    state = walk(memory, data.mu, data.actions)
    if not memory.dreams:
        with pytest.raises(UserError, match="world=reality"):
            memory.predict(state)
        return
    said = memory.predict(state)
    assert said.latent.logits.shape == said.latent.mean.shape == said.latent.log_std.shape
    assert said.latent.mean.shape[::2] == (5, Z)
    assert said.reward.shape == said.done.shape == (5,)
    assert torch.isfinite(said.reward).all()
    assert not said.done.isnan().any()


@pytest.mark.parametrize("temperature", [1e-3, 1.0, 1.15])
def test_what_it_imagines_is_what_advance_and_predict_say(make: Callable[[], Memory], temperature: float) -> None:
    memory, data = make().eval(), window(batch=5, latent=Z, action=A)
    if not memory.dreams:
        return
    chance = torch.Generator().manual_seed(4)
    plain, ours = StepByStep(memory, 5, temperature), memory.imagine(5, temperature)
    state = walk(memory, data.mu, data.actions)
    with torch.inference_mode():
        for imagination in (plain, ours):
            imagination.begin(data.mu[:, -1], state)
            imagination.begin(data.mu[:2, 0], memory.initial(2), torch.tensor([3, 1]))
        for _ in range(6):
            actions = 2 * torch.rand(5, A, generator=chance) - 1
            luck = torch.rand(5, Z, generator=chance), torch.randn(5, Z, generator=chance)
            expected, found = (each.step(actions, *luck) for each in (plain, ours))
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(ours.value(), plain.value(), rtol=1e-4, atol=1e-5)
            assert (ours.value() == 0).all().item() is (memory.value_steps == 0)
            for size in (Z, Z + memory.hidden_size, Z + 2 * memory.hidden_size):
                torch.testing.assert_close(ours.now(size), plain.now(size), rtol=1e-4, atol=1e-5)
                assert ours.now(size).shape == (5, size)


def test_equal_steps_lead_to_equal_bits(make: Callable[[], Memory]) -> None:
    memory, data = make().eval(), window(latent=Z, action=A)
    first = walk(memory, data.mu, data.actions)
    torch.rand(3)
    again = walk(memory, data.mu, data.actions)
    assert torch.equal(first.h, again.h)
    assert torch.equal(first.c, again.c)
    if memory.dreams:
        assert all(torch.equal(a, b) for a, b in zip(*map(flat, map(memory.predict, (first, again))), strict=True))


def test_lanes_do_not_see_each_other(make: Callable[[], Memory]) -> None:
    memory, data = make().eval(), window(batch=5, latent=Z, action=A)
    order = torch.tensor([3, 0, 4, 2, 1])
    together = walk(memory, data.mu, data.actions)
    permuted = walk(memory, data.mu[order], data.actions[order])
    torch.testing.assert_close(permuted.h, together.h[order])
    alone = walk(memory, data.mu[2:3], data.actions[2:3])
    torch.testing.assert_close(alone.h, together.h[2:3])


def test_an_earlier_state_is_left_as_it_was(make: Callable[[], Memory]) -> None:
    memory, data = make().eval(), window(latent=Z, action=A)
    state = walk(memory, data.mu, data.actions)
    kept = state.h.clone(), state.c.clone()
    memory.advance(data.mu[:, 0], data.actions[:, 0], state)
    assert torch.equal(state.h, kept[0])
    assert torch.equal(state.c, kept[1])


def test_saved_weights_make_the_same_memory(make: Callable[[], Memory], tmp_path: Path) -> None:
    memory, other, data = make().eval(), make().eval(), window(latent=Z, action=A)
    save_file(memory.state_dict(), tmp_path / "m.safetensors")
    other.load_state_dict(load_file(tmp_path / "m.safetensors"))
    mine, its = (walk(each, data.mu, data.actions) for each in (memory, other))
    assert torch.equal(mine.h, its.h)
    assert torch.equal(mine.c, its.c)


def test_a_trainable_memory_learns_with_all_that_is_switched_on(make: Callable[[], Memory]) -> None:
    memory = make()
    if memory.steps == 0:
        return
    before = {name: value.detach().clone() for name, value in memory.named_parameters()}
    logged = fit_a_little(memory, [window(latent=Z, action=A, certain=False)] * memory.steps)
    still = {name for name, value in memory.named_parameters() if torch.equal(value, before[name])}
    heads = {"reward.weight", "reward.bias", "done.weight", "done.bias"}
    switched_off = heads if getattr(memory, "reward_weight", 1.0) == 0 else set()
    assert still == {"lstm.bias_hh_l0"} | switched_off
    assert all(name.startswith("memory/") for name in logged)
    assert all(map(math.isfinite, logged.values()))
