import math

import pytest
import torch
from torch import Tensor

from tests.memory.windows import window
from wmframe.data.windows import Window
from wmframe.memory.lstm_imagination import LSTMState
from wmframe.memory.mdn_rnn import MDNRNN
from wmframe.memory.prediction import Prediction
from wmframe.memory.state import State


def small(**keys: float | bool) -> MDNRNN:
    torch.manual_seed(0)
    return MDNRNN(latent_size=3, action_size=2, hidden_size=8, mixtures=4, **keys)  # type: ignore[arg-type]


def second_bias(memory: MDNRNN) -> Tensor:
    bias: Tensor = memory.lstm.bias_hh_l0  # type: ignore[assignment]
    return bias


def says(memory: MDNRNN, state: State) -> Prediction:
    return memory.imagine(state, memory.imagining.middle(state.z), 1.0)[0]


def gradients(memory: MDNRNN, batch: Window) -> dict[str, Tensor]:
    memory.zero_grad()
    torch.manual_seed(5)
    memory.loss(batch)["loss"].backward()  # type: ignore[no-untyped-call]
    return {name: p.grad.clone() for name, p in memory.named_parameters() if p.grad is not None}


def test_it_has_the_papers_parameters() -> None:
    memory = MDNRNN(latent_size=32, action_size=3)
    trainable = {name: p.numel() for name, p in memory.named_parameters() if p.requires_grad}
    heads = {name for name in trainable if name.startswith(("reward", "done"))}
    assert sum(count for name, count in trainable.items() if name not in heads) == 422_368
    assert sum(trainable[name] for name in heads) == 2 * 257
    assert second_bias(memory).numel() == 1024


def test_c_may_be_fed_the_cell_too() -> None:
    state = LSTMState(*(torch.randn(2, size) for size in (3, 8, 8)))
    assert torch.equal(small().features(state, "zhc"), torch.cat(state.tensors, 1))


def test_the_second_bias_is_zero_and_stays_so() -> None:
    memory = small(learning_rate=0.1)
    made = memory.configure_optimizers()
    assert isinstance(made, dict)
    first: Tensor = memory.lstm.bias_ih_l0.detach().clone()  # type: ignore[operator]
    for _ in range(3):
        made["optimizer"].zero_grad()
        memory.loss(window())["loss"].backward()  # type: ignore[no-untyped-call]
        made["optimizer"].step()
    assert (second_bias(memory) == 0).all()
    assert not torch.equal(memory.lstm.bias_ih_l0, first)  # type: ignore[arg-type]


def test_the_loss_is_what_advancing_step_by_step_predicts() -> None:
    memory, batch = small(reward_scale=2.0).eval(), window(steps=6)
    batch = batch._replace(done=torch.eye(6)[[5, 2, 0, 5]])
    state, nll, reward, done = memory.initial(4), [], [], []
    for t in range(6):
        state = memory.advance(state.but(z=batch.mu[:, t]), batch.actions[:, t])
        said = says(memory, state)
        nll.append(-said.latent.log_prob(batch.mu[:, t + 1]).mean())
        reward.append(((said.reward - batch.rewards[:, t]) / 2).square().mean())
        p, end = (said.done + math.log(10)).sigmoid(), batch.done[:, t]  # what M says is calibrated, the loss is not
        done.append(-(10 * end * p.log() + (1 - end) * (1 - p).log()).mean())
    terms = memory.loss(batch)
    for name, steps in (("nll", nll), ("reward_error", reward), ("done_loss", done)):
        torch.testing.assert_close(terms[name], torch.stack(steps).mean(), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(terms["loss"], terms["nll"] + terms["reward_error"] + terms["done_loss"])


def test_z_is_drawn_afresh_in_every_batch() -> None:
    memory, batch = small(), window(certain=False)
    assert memory.loss(batch)["nll"] != memory.loss(batch)["nll"]
    certain = window()
    assert memory.loss(certain)["nll"] == memory.loss(certain)["nll"]


def padded(batch: Window, lengths: list[int], filling: float) -> Window:
    """The same windows, ended after so many steps; what lies behind is filled with a number."""
    step = torch.arange(batch.mask.shape[1])
    mask = (step < torch.tensor(lengths)[:, None]).float()
    real = torch.cat((torch.ones(len(mask), 1), mask), 1)[..., None].bool()  # frames: one more than steps
    return Window(
        mu=torch.where(real, batch.mu, filling),
        logvar=torch.where(real, batch.logvar, 0.0),
        actions=torch.where(mask[..., None].bool(), batch.actions, filling),
        rewards=torch.where(mask.bool(), batch.rewards, filling),
        done=torch.where(mask.bool(), batch.done, abs(filling) > 1),
        mask=mask,
        ahead=torch.where(mask.bool(), batch.ahead, filling),
        ahead_mask=mask * batch.ahead_mask,
    )


@pytest.mark.parametrize("shuffled", [False, True])
def test_padding_changes_neither_loss_nor_gradients(shuffled: bool) -> None:
    memory, lengths = small(shuffle_rewards=shuffled, value_steps=9), [7, 3, 1, 5]
    batch = window(certain=False)
    one, other = (gradients(memory, padded(batch, lengths, filling)) for filling in (0.0, 2.0))
    assert one.keys() == other.keys()
    for name, gradient in one.items():
        torch.testing.assert_close(gradient, other[name], msg=name)


def test_the_loss_is_the_mean_over_recorded_steps() -> None:
    memory, batch = small(value_steps=9), window(batch=1, steps=7)
    whole = Window(batch.mu[:, :5], batch.logvar[:, :5], *(part[:, :4] for part in batch[2:]))
    cut, expected = memory.loss(padded(batch, [4], 0.0)), memory.loss(whole)
    for name, value in expected.items():
        torch.testing.assert_close(cut[name], value)


def silent(**keys: float | bool) -> MDNRNN:
    """A memory whose heads say 0 whatever they hear."""
    memory = small(**keys)
    with torch.no_grad():
        for head in (memory.reward, memory.done):
            head.weight.zero_()
            head.bias.zero_()
    return memory


def test_a_true_end_counts_done_positive_times() -> None:
    batch = window()
    batch.done[0, 3] = 1.0
    steps = batch.done.numel()
    terms = silent(done_positive=10.0).loss(batch)
    assert terms["done_loss"].item() == pytest.approx(math.log(2) * (steps - 1 + 10) / steps, rel=1e-5)


@pytest.mark.parametrize(("calibrated", "expected"), [(True, 0.125), (False, 10 / 17)])
def test_a_calibrated_end_is_foretold_as_often_as_it_comes(calibrated: bool, expected: float) -> None:
    batch = window(steps=8)._replace(done=torch.eye(8)[:4])  # one step in eight ends
    memory = silent(calibrate_done=calibrated)
    adam = torch.optim.Adam([memory.done.bias], lr=0.1)
    for _ in range(200):
        adam.zero_grad()
        memory.loss(batch)["done_loss"].backward()  # type: ignore[no-untyped-call]
        adam.step()
    assert says(memory, memory.initial(1)).done.sigmoid().item() == pytest.approx(expected, abs=0.01)


def test_rewards_are_clipped_then_scaled_and_predicted_in_their_own_units() -> None:
    batch = window()._replace(rewards=torch.tensor([[-50.0, 0.0, 3.0, 50.0]] * 4), actions=torch.zeros(4, 4, 2))
    batch = batch._replace(mu=batch.mu[:, :5], logvar=batch.logvar[:, :5], done=torch.zeros(4, 4))
    batch = batch._replace(mask=torch.ones(4, 4))
    memory = silent(reward_clip=10.0, reward_scale=5.0)
    assert memory.loss(batch)["reward_error"].item() == pytest.approx((2**2 + 0 + 0.6**2 + 2**2) / 4)
    with torch.no_grad():
        memory.reward.bias.fill_(0.6)
    assert says(memory, memory.initial(1)).reward.item() == pytest.approx(3.0)


def test_weights_of_zero_switch_the_heads_off() -> None:
    memory, batch = small(reward_weight=0.0, done_weight=0.0), window()
    batch.done[:, -1] = 1.0
    said = says(memory, memory.initial(2))
    assert said.reward.tolist() == [0.0, 0.0]
    assert said.done.sigmoid().tolist() == [0.0, 0.0]
    terms = memory.loss(batch)
    assert all(torch.isfinite(value) for value in terms.values())
    assert terms["loss"] == terms["nll"]
    for name, gradient in gradients(memory, batch).items():
        assert torch.isfinite(gradient).all(), name
        assert name not in {"reward.weight", "done.weight"} or (gradient == 0).all()


def test_a_heads_weight_weighs_its_term() -> None:
    batch = window()
    batch.done[0, 0] = 1.0
    terms = small(reward_weight=3.0, done_weight=0.5).loss(batch)
    torch.testing.assert_close(terms["loss"], terms["nll"] + 3 * terms["reward_error"] + 0.5 * terms["done_loss"])


def test_a_value_is_learned_where_it_is_known_and_in_the_units_of_rewards() -> None:
    ahead, known = torch.full((4, 7), 1e3), torch.zeros(4, 7)
    ahead[1, 2], ahead[3, 6] = 12.0, -24.0
    known[1, 2] = known[3, 6] = 1.0
    memory = small(reward_scale=2.0, value_steps=9, value_weight=0.5)
    assert memory.value is not None
    with torch.no_grad():
        memory.value.weight.zero_()
        memory.value.bias.zero_()
    terms = memory.loss(window()._replace(ahead=ahead, ahead_mask=known))
    assert terms["value_error"].item() == pytest.approx((2.0**2 + 4.0**2) / 2)  # in units of 2 · √9
    torch.testing.assert_close(
        terms["loss"], terms["nll"] + terms["reward_error"] + terms["done_loss"] + 0.5 * terms["value_error"]
    )
    nobody_knows = memory.loss(window()._replace(ahead=ahead, ahead_mask=torch.zeros(4, 7)))
    assert nobody_knows["value_error"] == 0.0
    with torch.no_grad():
        memory.value.bias.fill_(2.0)
    said = says(memory, memory.initial(1)).value
    assert said is not None
    assert said.item() == pytest.approx(12.0)


def test_a_memory_without_a_value_has_none() -> None:
    memory = small()
    assert "value_error" not in memory.loss(window())
    assert says(memory, memory.initial(1)).value is None
    assert not any(name.startswith("value") for name, _ in memory.named_parameters())


def test_shuffling_deals_recorded_rewards_to_recorded_steps() -> None:
    batch = padded(window()._replace(rewards=torch.ones(4, 7)), [7, 2, 1, 3], 0.0)
    memory, shuffling = silent(), silent(shuffle_rewards=True)
    # All recorded rewards are 1; one that went to the padding, or came from it, would be missed.
    assert shuffling.loss(batch)["reward_error"] == memory.loss(batch)["reward_error"] == 1.0


def test_gradients_are_clipped_by_their_norm() -> None:
    memory = small(gradient_clip=0.5)
    batch = window()._replace(rewards=torch.full((4, 7), 1e4))
    assert sum(g.square().sum() for g in gradients(memory, batch).values()) > 1
    memory.on_before_optimizer_step(torch.optim.SGD(memory.parameters()))
    norm = math.sqrt(sum(p.grad.square().sum().item() for p in memory.parameters() if p.grad is not None))
    assert norm == pytest.approx(0.5, rel=1e-3)


def test_the_forget_gate_begins_open() -> None:
    memory = MDNRNN(latent_size=3, action_size=1, hidden_size=5)
    _, _, first, _ = memory.lstm.all_weights[0]
    assert first[5:10].tolist() == [1.0] * 5
    assert not (first[:5] == 1).any()
