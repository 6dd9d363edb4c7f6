"""M learns what a step caused, and cannot learn what it did not."""

import pytest
import torch

from tests.memory.windows import window
from wmframe.data.windows import Window
from wmframe.memory.mdn_rnn import MDNRNN

STEPS = 150


def caused(seed: int, shift: int) -> Window:
    """Windows in which action and latent of step t pay and end at t + `shift`: noise in, so nothing else can tell."""
    full = window(batch=32, steps=12, latent=1, action=1, seed=seed)
    paid = full.actions[..., 0] + 0.5 * full.mu[:, :-1, 0]
    ends = (full.actions[..., 0] > 0.6).float()
    keep = slice(1, -1)
    now = slice(1 + shift, 11 + shift)
    return Window(
        mu=full.mu[:, 1:-1],
        logvar=full.logvar[:, 1:-1],
        actions=full.actions[:, keep],
        rewards=paid[:, now],
        done=ends[:, now],
        mask=full.mask[:, keep],
        ahead=3 * paid[:, now],
        ahead_mask=full.ahead_mask[:, keep],
    )


def learnt(*, shift: int, shuffle: bool = False) -> dict[str, float]:
    """What is left of rewards and ends on new windows after learning from old ones, as a share of knowing nothing."""
    torch.manual_seed(0)
    memory = MDNRNN(
        latent_size=1, action_size=1, hidden_size=16, mixtures=1, learning_rate=0.02, done_positive=1.0,
        shuffle_rewards=shuffle, value_steps=9,
    )  # fmt: skip
    made = memory.configure_optimizers()
    assert isinstance(made, dict)
    for step in range(STEPS):
        made["optimizer"].zero_grad()
        memory.loss(caused(step, shift))["loss"].backward()  # type: ignore[no-untyped-call]
        memory.on_before_optimizer_step(made["optimizer"])
        made["optimizer"].step()
    memory.shuffle_rewards = False
    test = caused(STEPS + 1, shift)
    with torch.no_grad():
        terms = memory.loss(test)
    rate = test.done.mean()
    ignorance = -(rate * rate.log() + (1 - rate) * (1 - rate).log())
    return {
        "reward": (terms["reward_error"] / test.rewards.var()).item(),
        "done": (terms["done_loss"] / ignorance).item(),
        "value": (terms["value_error"] * memory.value_scale**2 / test.ahead.var()).item(),
    }


def test_it_learns_what_the_step_itself_caused() -> None:
    left = learnt(shift=0)
    assert left["reward"] < 0.1
    assert left["done"] < 0.4
    assert left["value"] < 0.1


def test_it_cannot_learn_what_the_step_after_will_cause() -> None:
    left = learnt(shift=1)
    assert left["reward"] > 0.8
    assert left["done"] > 0.8


def test_shuffled_rewards_teach_nothing_about_rewards_and_leave_the_rest() -> None:
    left = learnt(shift=0, shuffle=True)
    assert left["reward"] > 0.8
    assert left["done"] < 0.4


def test_it_learns_how_latents_move() -> None:
    torch.manual_seed(0)
    memory = MDNRNN(latent_size=1, action_size=1, hidden_size=16, mixtures=2, learning_rate=0.02)
    made = memory.configure_optimizers()
    assert isinstance(made, dict)
    for step in range(STEPS):
        base = window(batch=16, steps=10, latent=1, action=1, seed=step)
        z = torch.cat((base.mu[:, :1], base.mu[:, :1] + base.actions.cumsum(1)), 1)  # the action is the way made
        made["optimizer"].zero_grad()
        loss = memory.loss(base._replace(mu=z))["nll"]
        loss.backward()  # type: ignore[no-untyped-call]
        memory.on_before_optimizer_step(made["optimizer"])
        made["optimizer"].step()
    state = memory.advance(memory.initial(2).but(z=torch.full((2, 1), 0.2)), torch.tensor([[0.8], [-0.8]]))
    said, _ = memory.imagine(state, memory.imagining.middle(state.z), 1.0)
    forth, back = said.latent.mode()
    assert forth.item() == pytest.approx(1.0, abs=0.35)
    assert back.item() == pytest.approx(-0.6, abs=0.35)
    assert loss.item() < 0.6  # a standard normal alone leaves 1.4 nats and more
