import pytest
import torch
from torch import Tensor

from tests.worlds.toys import A, H, Z, act, data, dream, lane, live, memory, start_states
from wmframe.data.emphasis import EVENLY
from wmframe.engine.errors import UserError
from wmframe.memory.lstm_imagination import LSTMState
from wmframe.memory.none import NoMemory
from wmframe.memory.state import Noise
from wmframe.worlds.starts import StartStates, warmed_starts

SEEDS = list(range(30))


def still(features: Tensor) -> Tensor:
    return torch.zeros(len(features), A)


@pytest.mark.parametrize("horizon", [1, 4, 30])
def test_a_dream_ends_at_the_horizon(horizon: int) -> None:
    world = dream(horizon=horizon, done_rule="never")
    steps = live(world, SEEDS)
    assert len(steps) == horizon + 1
    assert not any(bool(step.done.any()) for step in steps[:-1])
    assert world.timed_out.all()


def test_every_lane_has_a_horizon_of_its_own() -> None:
    world = dream(horizon=5, done_rule="never")
    features = world.reset([1, 2]).features
    for _ in range(3):
        features = world.step(act(features)).features
    features = world.restart([1], [9])
    done = []
    for _ in range(5):
        step = world.step(act(features))
        features = step.features
        done.append(step.done.tolist())
    assert done == [[False, False], [True, False], [True, False], [True, False], [True, True]]


def test_ends_are_drawn_as_often_as_m_foretells_them() -> None:
    doomed = memory()
    with torch.no_grad():
        doomed.done.weight.zero_()
        doomed.done.bias.fill_(-1.0)  # 27 %
    steps = live(dream(of=doomed, horizon=200), list(range(400)))
    lengths = [len(lane(steps, number)) - 1 for number in range(400)]
    chance = torch.tensor(-1.0).sigmoid().item()
    assert sum(lengths) / 400 == pytest.approx(1 / chance, rel=0.15)


@pytest.mark.parametrize(("bias", "expected"), [(0.01, 1), (-0.01, 6)])
def test_the_threshold_is_one_half(bias: float, expected: int) -> None:
    doomed = memory()
    with torch.no_grad():
        doomed.done.weight.zero_()
        doomed.done.bias.fill_(bias)
    world = dream(of=doomed, horizon=6, done_rule="threshold")
    assert len(live(world, SEEDS)) == expected + 1
    assert bool(world.timed_out.any()) is (expected == 6)


def test_never_is_never() -> None:
    assert len(live(dream(of=memory(done_bias=50.0), horizon=6, done_rule="never"), SEEDS)) == 7


def test_a_cold_dream_is_what_m_thinks_likeliest() -> None:
    m, starts = memory(), start_states()
    world = dream(of=m, starts=starts, horizon=8, temperature=1e-12, done_rule="never", senses="zhc")
    seen = world.reset(SEEDS).features
    for _ in range(8):
        state = LSTMState(*torch.split(seen, [Z, H, H], 1))
        with torch.inference_mode():
            expected = m.advance(state, act(seen))
            said, _ = m.imagine(expected, m.imagining.middle(expected.z), 1.0)
        seen = world.step(act(seen)).features
        torch.testing.assert_close(seen[:, Z : Z + H], expected.h)
        torch.testing.assert_close(seen[:, :Z], said.latent.mode(), atol=1e-4, rtol=0)


def test_a_dream_is_m_run_by_hand() -> None:
    m, starts = memory(done_bias=-1.0), start_states(1)
    world = dream(of=m, starts=starts, horizon=20, temperature=1.15, senses="zhc")
    steps = live(world, [7])
    chance = torch.Generator().manual_seed(7)  # the order of draws is the dream's own, and part of every result
    torch.randint(1, (), generator=chance)
    first = torch.randn(Z, generator=chance)
    uniform, normal = torch.rand(20, Z, generator=chance), torch.randn(20, Z, generator=chance)
    ends = torch.rand(20, generator=chance)
    state = LSTMState(starts.mu + (starts.logvar / 2).exp() * first, **starts.packed)
    torch.testing.assert_close(steps[0].features, torch.cat(state.tensors, 1))
    with torch.inference_mode():
        for t, step in enumerate(steps[1:]):
            advanced, noise = (
                m.advance(state, act(torch.cat(state.tensors, 1))),
                Noise(uniform[t, None], normal[t, None]),
            )
            said, state = m.imagine(advanced, noise, 1.15)
            torch.testing.assert_close(step.features, torch.cat(state.tensors, 1), rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(step.reward, said.reward, rtol=1e-4, atol=1e-5)
            assert bool(step.done) is bool(ends[t] < said.done.sigmoid()) or t == 19


def test_a_hotter_dream_strays_further() -> None:
    def spread(temperature: float) -> float:
        world = dream(horizon=6, done_rule="never", temperature=temperature, starts=start_states(1), senses="z")
        return float(live(world, SEEDS, drive=still)[-1].features.std(0).mean())

    assert spread(0.05) < 0.7 * spread(1.0) < 0.7 * spread(3.0)


def test_dreams_begin_at_recorded_states_of_every_kind() -> None:
    starts = start_states(5)
    certain = StartStates(starts.mu, torch.full_like(starts.logvar, -torch.inf), starts.packed)
    seen = dream(starts=certain, senses="zhc").reset(list(range(200))).features
    known = torch.cat((starts.mu, starts.packed["h"], starts.packed["c"]), 1)
    found = [int((known == row).all(1).nonzero()) for row in seen]
    assert set(found) == {0, 1, 2, 3, 4}
    assert max(found.count(number) for number in range(5)) < 80


def test_warmed_dreams_begin_where_m_would_be_after_the_recorded_steps() -> None:
    m, recorded = memory(), data()
    recorded.folders[0].logvar[:] = -float("inf")  # then warming is certain
    starts = warmed_starts(m, recorded, count=12, seed=0, skip=2, emphasis=EVENLY)
    mu, actions = (torch.from_numpy(getattr(recorded.folders[0], name)).float() for name in ("mu", "actions"))
    expected = []
    with torch.inference_mode():
        for episode in recorded.episodes:
            state = m.initial(1)
            for row in range(episode.start, episode.stop - 1):
                if row - episode.start >= 2:
                    expected.append(torch.cat((mu[row : row + 1], state.h, state.c), 1))
                state = m.advance(state.but(z=mu[row : row + 1]), actions[row : row + 1])
    seen = dream(of=m, starts=starts, senses="zhc").reset(SEEDS).features
    distance = torch.cdist(seen, torch.cat(expected), compute_mode="donot_use_mm_for_euclid_dist").min(1).values
    assert distance.max() < 1e-5


def test_restarting_lanes_leaves_the_others_where_they_are() -> None:
    undisturbed = live(dream(horizon=12, done_rule="never"), [1, 2, 3, 2])
    fresh = live(dream(horizon=12, done_rule="never"), [40, 41])
    world = dream(horizon=12, done_rule="never")
    features = world.reset([1, 2, 3, 2]).features.clone()  # two lanes share their luck until one is restarted
    for _ in range(4):
        last = world.step(act(features))
        features = last.features.clone()
    before = last.done.clone()
    features = world.restart([1, 0], [40, 41]).clone()
    assert torch.equal(last.done, before)
    for number, (steps, at) in enumerate(((fresh, 1), (fresh, 0), (undisturbed, 2), (undisturbed, 3))):
        offset = 0 if number < 2 else 4
        assert torch.equal(features[number], steps[offset].features[at])
    for t in range(1, 9):
        step = world.step(act(features))
        features = step.features.clone()
        for number, (steps, at) in enumerate(((fresh, 1), (fresh, 0), (undisturbed, 2), (undisturbed, 3))):
            offset = 0 if number < 2 else 4
            assert torch.equal(features[number], steps[t + offset].features[at])
            assert step.reward[number] == steps[t + offset].reward[at]


def test_a_restarted_lane_is_alive_again_and_no_longer_timed_out() -> None:
    world = dream(horizon=3, done_rule="never")
    live(world, [1, 2])
    assert world.timed_out.tolist() == [True, True]
    features = world.restart([1], [5])
    assert world.timed_out.tolist() == [True, False]
    assert world.step(act(features)).done.tolist() == [True, False]


def test_the_latent_is_what_the_features_begin_with() -> None:
    world = dream()
    features = world.reset([1, 2, 3]).features
    assert torch.equal(world.latent, features[:, :Z])
    assert torch.equal(world.step(act(features)).features[:, :Z], world.latent)


def test_a_bootstrapped_dream_is_paid_at_the_horizon_what_m_expects_beyond_it_and_else_what_any_is() -> None:
    m = memory(done_bias=-2.5, value_steps=3)
    plain, bootstrapped = (dream(of=m, horizon=6, senses="zhc", bootstrap=on) for on in (False, True))
    steps, paid = live(plain, SEEDS), live(bootstrapped, SEEDS)
    in_time = 0
    for number in range(len(SEEDS)):
        ours, theirs = lane(paid, number), lane(steps, number)
        assert ours[:-1] == theirs[:-1]
        timed_out = bool(plain.timed_out[number])
        assert timed_out is bool(bootstrapped.timed_out[number])
        in_time += not timed_out
        expected = torch.zeros(1)
        if timed_out:
            h = steps[-1].features[number : number + 1, Z : Z + H]
            state = LSTMState(torch.zeros(1, Z), h, h)
            value = m.imagine(state, m.imagining.middle(state.z), 1.0)[0].value
            assert value is not None
            expected = value.detach()
        assert ours[-1][1] - theirs[-1][1] == pytest.approx(expected.item(), abs=1e-5)
    assert 0 < in_time < len(SEEDS)


def test_a_memory_without_a_value_has_nothing_to_bootstrap_from() -> None:
    with pytest.raises(UserError, match="no value"):
        dream(bootstrap=True)


def test_a_memory_that_predicts_nothing_is_refused() -> None:
    with pytest.raises(UserError, match="memory=none predicts nothing"):
        dream(of=NoMemory(latent_size=Z, action_size=A))
