"""What every M must do, run over all of them, those of the tests' plugins included."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from tests.memory.windows import window
from tests.plugins.gru_memory import GRUMemory
from tests.plugins.rssm_memory import RSSM
from tests.plugins.transformer_memory import TransformerMemory
from tests.vision.fitting import fit_a_little
from wmframe.engine.errors import UserError
from wmframe.memory.contract import Memory
from wmframe.memory.imagination import StepByStep
from wmframe.memory.mdn_rnn import MDNRNN
from wmframe.memory.none import NoMemory
from wmframe.memory.prediction import Prediction
from wmframe.memory.rules import Reparameterization, Senses, feature_size
from wmframe.memory.state import Noise, NoiseSize, State
from wmframe.memory.unroll import followed, imagined

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
    "gru": lambda: GRUMemory(latent_size=Z, action_size=A, hidden_size=8, steps=3),
    "transformer": lambda: TransformerMemory(latent_size=Z, action_size=A, hidden_size=8, context=3, steps=3),
    "rssm": lambda: RSSM(latent_size=Z, action_size=A, hidden_size=8, stochastic_size=2, steps=3),
}
SENSES: list[Senses] = ["z", "zh", "zhc"]


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest) -> Callable[[], Memory]:
    torch.manual_seed(0)
    return KINDS[request.param]


@pytest.fixture(params=[name for name in KINDS if name != "none"])
def dreamer(request: pytest.FixtureRequest) -> Memory:
    torch.manual_seed(0)
    return KINDS[request.param]().eval()


def noise(size: NoiseSize, lanes: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Noise:
    """Chance for so many lanes, each lane's its own."""
    drawn = [size.draw(torch.Generator().manual_seed(100 * seed + lane), 1) for lane in range(lanes)]
    return size.split(torch.cat(drawn).to(dtype))


def walk(memory: Memory, lanes: int = 5, at: Tensor | None = None) -> State:
    """The state after seven steps, in M's own type; with `at`, in these lanes alone."""
    data, at = window(batch=lanes, latent=Z, action=A), torch.arange(lanes) if at is None else at
    first = memory.initial(len(at))

    def recorded() -> Iterator[tuple[Tensor, Noise, Tensor]]:
        for step in range(data.actions.shape[1]):
            chance = noise(memory.observing, lanes, step, first.z.dtype)
            z, action = (each[at, step].to(first.z.dtype) for each in (data.mu, data.actions))
            yield z, Noise(chance.uniform[at], chance.normal[at]), action

    *_, state = followed(memory, recorded(), first)
    return state


def seen(memory: Memory, state: State, seed: int = 50) -> State:
    """The state when a frame came."""
    lanes = len(state.z)
    z = torch.randn(lanes, Z, generator=torch.Generator().manual_seed(seed)).to(state.z.dtype)
    return memory.observe(state, z, noise(memory.observing, lanes, seed, state.z.dtype))


def equal(one: State, other: State) -> bool:
    return type(one) is type(other) and all(map(torch.equal, one.tensors, other.tensors))


def flat(said: Prediction) -> list[Tensor]:
    return [said.latent.parts, said.reward, said.done]


@pytest.mark.parametrize("batch", [1, 5])
def test_a_state_is_the_same_tensors_of_the_same_shapes_at_every_step(make: Callable[[], Memory], batch: int) -> None:
    memory = make().eval()
    first = memory.initial(batch)
    states = [memory.observe(first, first.z, noise(memory.observing, batch)), walk(memory, batch)]
    if memory.dreams:
        states.append(memory.imagine(states[1], noise(memory.imagining, batch), 1.0)[1])
    assert first.z.shape == (batch, Z)
    assert all(len(tensor) == batch for tensor in first.tensors)
    for state in states:
        assert type(state) is type(first)
        for mine, before in zip(state.tensors, first.tensors, strict=True):
            assert mine.shape == before.shape
            assert mine.dtype == before.dtype
            assert torch.isfinite(mine).all()


@pytest.mark.parametrize("senses", SENSES)
def test_c_is_fed_z_and_what_m_adds_to_it(make: Callable[[], Memory], senses: Senses) -> None:
    memory = make().eval()
    state = seen(memory, walk(memory))
    features = memory.features(state, senses)
    assert features.shape == (5, feature_size(senses, Z, memory.hidden_size))
    assert torch.equal(features[:, :Z], state.z)
    assert torch.equal(features[:, Z : Z + memory.hidden_size], memory.hidden(state)) or senses == "z"


def test_it_dreams_or_refuses_to_and_says_what_to_do(make: Callable[[], Memory]) -> None:
    memory = make().eval()
    state = walk(memory)
    if not memory.dreams:
        with pytest.raises(UserError, match="world=reality"):
            memory.imagine(state, noise(memory.imagining, 5), 1.0)
        return
    said, after = memory.imagine(state, noise(memory.imagining, 5), 1.0)
    assert said.latent.logits.shape == said.latent.mean.shape == said.latent.log_std.shape
    assert said.latent.mean.shape[::2] == (5, Z)
    assert said.reward.shape == said.done.shape == (5,)
    assert (said.value is None) is (memory.value_steps == 0)
    assert torch.isfinite(said.reward).all()
    assert not said.done.isnan().any()
    assert torch.isfinite(after.z).all()


def test_chance_is_what_is_handed_in_and_nothing_else(dreamer: Memory) -> None:
    state = walk(dreamer)
    one, same, other = (dreamer.imagine(state, noise(dreamer.imagining, 5, seed), 1.0) for seed in (1, 1, 2))
    assert equal(one[1], same[1])
    assert all(map(torch.equal, flat(one[0]), flat(same[0])))
    assert not (one[1].z == other[1].z).any()
    cold = [dreamer.imagine(state, noise(dreamer.imagining, 5, seed), 1e-12)[1].z for seed in (1, 2)]
    torch.testing.assert_close(*cold, rtol=0, atol=1e-4)


def test_every_gradient_is_of_the_same_draw(dreamer: Memory) -> None:
    kinds: list[Reparameterization] = ["component", "implicit"]
    one, other = (dreamer.imagine(walk(dreamer), noise(dreamer.imagining, 5), 1.2, kind)[1] for kind in kinds)
    assert equal(one, other)


@pytest.mark.parametrize("temperature", [1e-3, 1.0, 1.15])
def test_its_fast_path_is_the_unroll(dreamer: Memory, temperature: float) -> None:
    """With two lanes begun anew on the way, while the others go on."""
    chances = [noise(dreamer.imagining, 5, step) for step in range(6)]
    actions = [2 * torch.rand(5, A, generator=torch.Generator().manual_seed(step)) - 1 for step in range(6)]
    begun, anew, at = seen(dreamer, walk(dreamer)), seen(dreamer, dreamer.initial(2)), torch.tensor([3, 1])
    with torch.inference_mode():
        ours = dreamer.imagination(5, temperature)
        ours.begin(begun)
        state = begun
        for half in (slice(0, 3), slice(3, 6)):
            done = iter(actions[half])
            expected = imagined(dreamer, state, lambda _: next(done), chances[half], temperature)  # noqa: B023
            for action, chance, (said, state) in zip(actions[half], chances[half], expected, strict=True):
                torch.testing.assert_close(ours.step(action, chance), (said.reward, said.done), rtol=1e-4, atol=1e-5)
                value = torch.zeros(5) if said.value is None else said.value
                torch.testing.assert_close(ours.value(), value, rtol=1e-4, atol=1e-5)
                for senses in SENSES:
                    features = dreamer.features(state, senses)
                    torch.testing.assert_close(ours.features(senses), features, rtol=1e-4, atol=1e-5)
            ours.begin(anew, at)
            state = state.put(at, anew)
            torch.testing.assert_close(ours.features("zh"), dreamer.features(state, "zh"), rtol=1e-4, atol=1e-5)


def test_step_by_step_is_the_unroll_to_the_last_bit(dreamer: Memory) -> None:
    begun, chance, action = seen(dreamer, walk(dreamer)), noise(dreamer.imagining, 5), torch.full((5, A), 0.3)
    with torch.inference_mode():
        plain = StepByStep(dreamer, 5, 1.0)
        plain.begin(begun)
        plain.step(action, chance)
        [(_, state)] = imagined(dreamer, begun, lambda _: action, [chance], 1.0)
        assert torch.equal(plain.features("zhc"), dreamer.features(state, "zhc"))


def test_equal_steps_lead_to_equal_bits(make: Callable[[], Memory]) -> None:
    memory = make().eval()
    first = walk(memory)
    torch.rand(3)
    assert equal(first, walk(memory))


def test_lanes_do_not_see_each_other(make: Callable[[], Memory]) -> None:
    memory = make().eval()
    together = walk(memory)
    for at in (torch.tensor([3, 0, 4, 2, 1]), torch.tensor([2])):
        apart = walk(memory, at=at)
        for mine, theirs in zip(apart.tensors, together.rows(at).tensors, strict=True):
            torch.testing.assert_close(mine, theirs)


def test_an_earlier_state_is_left_as_it_was(make: Callable[[], Memory]) -> None:
    memory = make().eval()
    state = seen(memory, walk(memory))
    kept = [tensor.clone() for tensor in state.tensors]
    advanced = memory.advance(state, torch.ones(5, A))
    then = [tensor.clone() for tensor in advanced.tensors]
    if memory.dreams:
        memory.imagine(advanced, noise(memory.imagining, 5), 1.0)
    seen(memory, advanced)
    assert all(map(torch.equal, state.tensors, kept))
    assert all(map(torch.equal, advanced.tensors, then))


def test_another_memorys_state_is_refused(make: Callable[[], Memory]) -> None:
    class Strange(State):
        pass

    memory = make().eval()
    if type(memory.initial(1)) is not State:
        with pytest.raises(TypeError, match="Strange is no"):
            memory.advance(Strange(torch.zeros(1, Z)), torch.zeros(1, A))


def test_what_is_packed_goes_on_as_if_it_had_never_stopped(make: Callable[[], Memory], tmp_path: Path) -> None:
    memory = make().eval()
    state = walk(memory)
    packed = {name: tensor.contiguous().clone() for name, tensor in memory.pack(state).items()}
    assert {"mu", "logvar", "z"}.isdisjoint(packed)
    assert all(len(tensor) == 5 for tensor in packed.values())
    save_file(packed, tmp_path / "starts.safetensors")
    found = memory.unpack(load_file(tmp_path / "starts.safetensors"), 5)
    one, other = (seen(memory, each) for each in (state, found))
    assert equal(one, other)
    assert equal(memory.advance(one, torch.ones(5, A)), memory.advance(other, torch.ones(5, A)))


def test_in_double_precision_it_is_the_same_memory(make: Callable[[], Memory]) -> None:
    memory = make().eval()
    single = seen(memory, walk(memory))
    double = seen(memory.double(), walk(memory.double()))
    for mine, theirs in zip(double.tensors, single.tensors, strict=True):
        assert mine.dtype == (torch.float64 if theirs.is_floating_point() else theirs.dtype)
        torch.testing.assert_close(mine.to(theirs.dtype), theirs, rtol=1e-4, atol=1e-5)


def test_what_is_dreamt_has_the_gradient_of_what_is_done(dreamer: Memory) -> None:
    """Against finite differences in float64, through three steps from a state that was walked to."""
    memory = dreamer.double().requires_grad_(False)
    start = seen(memory, walk(memory, 2))
    chances = [noise(memory.imagining, 2, step, torch.float64) for step in range(3)]

    def dreamt(actions: Tensor) -> Tensor:
        done = iter(actions)
        steps = list(imagined(memory, start, lambda _: next(done), chances, 1.0))
        return torch.cat((*(said.reward for said, _ in steps), memory.features(steps[-1][1], "zh").flatten()))

    actions = torch.rand(3, 2, A, dtype=torch.float64, generator=torch.Generator().manual_seed(2)).requires_grad_()
    assert torch.autograd.gradcheck(dreamt, (actions,))


def test_saved_weights_make_the_same_memory(make: Callable[[], Memory], tmp_path: Path) -> None:
    memory, other = make().eval(), make().eval()
    save_file(memory.state_dict(), tmp_path / "m.safetensors")
    other.load_state_dict(load_file(tmp_path / "m.safetensors"))
    assert equal(walk(memory), walk(other))


def test_a_trainable_memory_learns_with_all_that_is_switched_on(make: Callable[[], Memory]) -> None:
    memory = make()
    if memory.steps == 0:
        return
    before = {name: value.detach().clone() for name, value in memory.named_parameters()}
    logged = fit_a_little(memory, [window(latent=Z, action=A, certain=False)] * memory.steps)
    still = {name for name, value in memory.named_parameters() if torch.equal(value, before[name])}
    heads = {"reward.weight", "reward.bias", "done.weight", "done.bias"}
    switched_off = heads if getattr(memory, "reward_weight", 1.0) == 0 else set()
    assert still == ({"lstm.bias_hh_l0"} & set(before)) | switched_off
    assert all(name.startswith("memory/") for name in logged)
    assert all(map(math.isfinite, logged.values()))
