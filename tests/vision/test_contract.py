"""What every V must do, run over all of them."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from tests.vision.fitting import fit_a_little
from wmframe.vision.contract import Latent, Vision
from wmframe.vision.conv_vae import ConvVAE
from wmframe.vision.none import NoVision

KINDS: dict[str, Callable[[], Vision]] = {
    "conv_vae": lambda: ConvVAE(latent_size=6, width=4, steps=3, batch_size=4),
    "conv_vae, one latent": lambda: ConvVAE(latent_size=1, width=2, kl_floor=0.0, steps=3, batch_size=4),
    "conv_vae, grey and larger": lambda: ConvVAE(
        latent_size=6, frame_shape=(84, 84, 1), width=2, steps=3, batch_size=4
    ),
    "conv_vae, no square": lambda: ConvVAE(latent_size=6, frame_shape=(40, 97, 3), width=2, steps=3, batch_size=4),
    "none": lambda: NoVision(latent_size=16),
    "none, grey, no square": lambda: NoVision(latent_size=64, frame_shape=(84, 60, 1)),
    "none, one cell": lambda: NoVision(latent_size=1),
}


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest) -> Callable[[], Vision]:
    torch.manual_seed(0)
    return KINDS[request.param]


def some_frames(vision: Vision, batch: int) -> Tensor:
    chance = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (batch, *vision.frame_shape), dtype=torch.uint8, generator=chance)


@pytest.mark.parametrize("batch", [1, 5])
def test_frames_become_latents_and_latents_become_frames(make: Callable[[], Vision], batch: int) -> None:
    vision = make().eval()
    frames = some_frames(vision, batch)
    latent = vision.encode(frames.clone())
    assert latent.mu.shape == latent.logvar.shape == (batch, vision.latent_size)
    assert latent.mu.dtype == latent.logvar.dtype == torch.float32
    assert torch.isfinite(latent.mu).all()
    assert not latent.logvar.isnan().any()
    assert not (latent.logvar == torch.inf).any()
    decoded = vision.decode(latent.mu)
    assert decoded.shape == (batch, *vision.frame_shape)
    assert decoded.dtype == torch.uint8


def test_encoding_is_deterministic_and_leaves_the_frames_alone(make: Callable[[], Vision]) -> None:
    vision = make().eval()
    frames = some_frames(vision, 3)
    before, first = frames.clone(), vision.encode(frames)
    torch.rand(7)  # a draw in between must not matter
    again = vision.encode(frames)
    assert torch.equal(first.mu, again.mu)
    assert torch.equal(first.logvar, again.logvar)
    assert torch.equal(frames, before)


def test_a_frame_is_encoded_and_decoded_whatever_stands_beside_it(make: Callable[[], Vision]) -> None:
    vision = make().eval()
    frames = some_frames(vision, 4)
    order = torch.tensor([2, 0, 3, 1])
    torch.testing.assert_close(vision.encode(frames[order]).mu, vision.encode(frames).mu[order])
    mu = vision.encode(frames).mu
    alone = torch.cat([vision.decode(row[None]) for row in mu])
    assert (alone.int() - vision.decode(mu).int()).abs().max() <= 1  # the last bit may round otherwise


def test_different_frames_have_different_latents(make: Callable[[], Vision]) -> None:
    vision = make().eval()
    mu = vision.encode(some_frames(vision, 2)).mu
    assert not torch.equal(mu[0], mu[1])


def test_saved_weights_make_the_same_vision(make: Callable[[], Vision], tmp_path: Path) -> None:
    vision, other = make().eval(), make().eval()
    save_file(vision.state_dict(), tmp_path / "v.safetensors")
    other.load_state_dict(load_file(tmp_path / "v.safetensors"))
    frames = some_frames(vision, 2)
    assert torch.equal(vision.encode(frames).mu, other.encode(frames).mu)
    assert torch.equal(vision.encode(frames).logvar, other.encode(frames).logvar)
    mu = vision.encode(frames).mu
    assert torch.equal(vision.decode(mu), other.decode(mu))


def test_every_parameter_of_a_trainable_vision_learns(make: Callable[[], Vision]) -> None:
    vision = make()
    if vision.steps == 0:
        assert not list(vision.parameters())
        return
    before = {name: value.detach().clone() for name, value in vision.named_parameters()}
    logged = fit_a_little(vision, [some_frames(vision, vision.batch_size)] * vision.steps)
    assert [name for name, value in vision.named_parameters() if torch.equal(value, before[name])] == []
    assert logged
    assert all(name.startswith("vision/") for name in logged)


def test_a_sample_is_mu_plus_scaled_noise_and_certain_without_variance() -> None:
    mu, noise = torch.tensor([[1.0, -2.0]]), torch.tensor([[0.5, 3.0]])
    logvar = torch.tensor([[2 * torch.tensor(3.0).log(), -torch.inf]])
    torch.testing.assert_close(Latent(mu, logvar).sample(noise), torch.tensor([[2.5, -2.0]]))
