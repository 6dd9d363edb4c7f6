from typing import Literal

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from wmframe.engine.errors import UserError
from wmframe.frames import FRAME_SIZE
from wmframe.vision.contract import Latent
from wmframe.vision.conv_vae import ConvVAE, divergence
from wmframe.vision.transposed import PointToMap, SubPixel


def flat_vae(mu: list[float], kl_floor: float) -> ConvVAE:
    """A VAE that maps every frame to N(mu, 1)."""
    vae = ConvVAE(latent_size=len(mu), width=2, kl_floor=kl_floor)
    with torch.no_grad():
        for layer in (vae.mu, vae.logvar):
            layer.weight.zero_()
            layer.bias.zero_()
        vae.mu.bias.copy_(torch.tensor(mu))
    return vae


def frames(batch: int) -> Tensor:
    return torch.randint(
        0, 256, (batch, FRAME_SIZE, FRAME_SIZE, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(3)
    )


@pytest.mark.parametrize(("latent_size", "parameters"), [(32, 4_348_547), (64, 4_446_915)])
def test_it_has_the_papers_parameters(latent_size: int, parameters: int) -> None:
    assert sum(p.numel() for p in ConvVAE(latent_size=latent_size).parameters()) == parameters


def test_a_standard_normal_diverges_by_nothing() -> None:
    assert divergence(Latent(torch.zeros(3, 5), torch.zeros(3, 5))).tolist() == [0.0, 0.0, 0.0]


def test_the_divergence_is_that_of_the_closed_form() -> None:
    torch.manual_seed(0)
    mu, logvar = torch.randn(7, 5, dtype=torch.float64), torch.randn(7, 5, dtype=torch.float64)
    expected = kl_divergence(Normal(mu, (logvar / 2).exp()), Normal(torch.zeros_like(mu), torch.ones_like(mu))).sum(-1)
    torch.testing.assert_close(divergence(Latent(mu, logvar)), expected)


def test_below_the_floor_divergence_costs_the_floor_and_pushes_nowhere() -> None:
    vae = flat_vae([0.5, 0.0], kl_floor=0.5)  # KL 0.125 in all, floor 1
    kl = vae.loss(frames(2))[1]
    assert kl.item() == pytest.approx(1.0)
    kl.backward()  # type: ignore[no-untyped-call]
    for layer in (vae.mu, vae.logvar):
        assert layer.bias.grad is not None
        assert layer.bias.grad.abs().max() == 0


def test_the_floor_is_on_the_total_and_not_on_each_dimension() -> None:
    vae = flat_vae([2.0, 0.1], kl_floor=0.5)  # KL 2 + 0.005 in all, floor 1; the second dimension alone is below 0.5
    kl = vae.loss(frames(2))[1]
    assert kl.item() == pytest.approx(2.005)
    kl.backward()  # type: ignore[no-untyped-call]
    assert vae.mu.bias.grad is not None
    assert vae.mu.bias.grad.tolist() == pytest.approx([2.0, 0.1])


def test_the_floor_is_on_each_frame_and_not_on_the_batch() -> None:
    torch.manual_seed(0)
    vae = ConvVAE(latent_size=4, width=2, kl_floor=0.0)
    with torch.no_grad():
        vae.mu.weight.mul_(200)
    seen = torch.cat((frames(1), torch.zeros(1, FRAME_SIZE, FRAME_SIZE, 3, dtype=torch.uint8)))
    totals = divergence(vae.encode(seen))
    assert abs(totals[0] - totals[1]) > 0.1
    vae.kl_floor = totals.mean().item() / 4
    kl = vae.loss(seen)[1]
    assert kl.item() == pytest.approx((totals.max().item() + totals.mean().item()) / 2, rel=1e-5)
    assert kl > totals.mean() * 1.01


def test_the_squared_error_is_summed_over_a_frames_pixels_in_0_to_1() -> None:
    vae = flat_vae([0.0, 0.0], kl_floor=0.0)
    with torch.no_grad():
        for parameter in vae.decoder.parameters():
            parameter.zero_()  # every decoded pixel is sigmoid(0) = 0.5
    white = torch.full((3, FRAME_SIZE, FRAME_SIZE, 3), 255, dtype=torch.uint8)
    assert vae.loss(white)[0].item() == pytest.approx(0.25 * FRAME_SIZE * FRAME_SIZE * 3)
    assert (vae.decode(torch.zeros(1, 2)) == 128).all()


def test_a_few_steps_learn_to_reconstruct_where_what_colour_is() -> None:
    torch.manual_seed(0)
    vae = ConvVAE(latent_size=4, width=4, learning_rate=1e-2, steps=40)
    picture = torch.zeros(2, FRAME_SIZE, FRAME_SIZE, 3, dtype=torch.uint8)
    picture[:, :32, :, 0] = 255  # red above
    picture[:, :, :16, 2] = 255  # blue on the left
    made = vae.configure_optimizers()
    assert isinstance(made, dict)
    first = torch.stack(vae.loss(picture)).sum().item()
    for _ in range(40):
        made["optimizer"].zero_grad()
        loss = torch.stack(vae.loss(picture)).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        made["optimizer"].step()
    assert loss.item() < first / 3
    seen = vae.decode(vae.encode(picture).mu)[0].float()
    assert seen[:28, :, 0].mean() > seen[36:, :, 0].mean() + 100
    assert seen[:, :12, 2].mean() > seen[:, 20:, 2].mean() + 100
    assert seen[:, :, 1].mean() < 50


def test_the_learning_rate_falls_to_its_end() -> None:
    vae = ConvVAE(latent_size=1, width=1, learning_rate=1e-2, final_learning_rate=0.1, steps=5)
    made = vae.configure_optimizers()
    assert isinstance(made, dict)
    adam, falling = made["optimizer"], made["lr_scheduler"]["scheduler"]  # type: ignore[typeddict-item]
    for _ in range(5):
        adam.step()
        falling.step()
    assert adam.param_groups[0]["lr"] == pytest.approx(1e-3)


@pytest.mark.parametrize(("ours", "into", "out", "kernel", "size"), [(PointToMap, 12, 5, 5, 1), (SubPixel, 6, 3, 6, 9)])
def test_a_faster_layer_is_the_transposed_convolution(
    ours: type[torch.nn.ConvTranspose2d], into: int, out: int, kernel: int, size: int
) -> None:
    torch.manual_seed(0)
    plain = torch.nn.ConvTranspose2d(into, out, kernel, 2, dtype=torch.float64)
    fast = ours(into, out, kernel, 2, dtype=torch.float64)
    fast.load_state_dict(plain.state_dict())
    outcomes = []
    for layer in (plain, fast):
        x = torch.randn(4, into, size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
        y = layer(x.requires_grad_())
        y.square().sum().backward()
        outcomes.append([y, x.grad, *(parameter.grad for parameter in layer.parameters())])
    torch.testing.assert_close(*outcomes)


def test_frames_of_another_shape_are_refused_with_both() -> None:
    with pytest.raises(UserError, match=r"frames are of shape \(84, 84, 1\), and this V was made for \(64, 64, 3\)"):
        ConvVAE(latent_size=2, width=1).encode(torch.zeros(1, 84, 84, 1, dtype=torch.uint8))


def test_every_pixel_of_a_frame_that_is_no_square_is_seen_and_drawn() -> None:
    torch.manual_seed(0)
    vision = ConvVAE(latent_size=8, frame_shape=(50, 81, 1), width=8, kl_floor=0.0).eval()
    frames = torch.rand(8, 50, 81, 1, requires_grad=True)
    vision._distribution(frames.permute(0, 3, 1, 2)).mu.square().sum().backward()  # type: ignore[no-untyped-call]
    assert frames.grad is not None
    assert (frames.grad != 0).any(0).all()
    z = torch.randn(1, 8, requires_grad=True)
    drawn = vision._drawn(z)
    assert drawn.shape == (1, 1, 50, 81)
    assert drawn.std() > 0


@pytest.mark.parametrize("shape", [(64, 64, 3), (20, 30, 1), (84, 84, 1), (210, 160, 3)])
def test_a_fit_lowers_the_error_whatever_the_shape(shape: tuple[int, int, Literal[1, 3]]) -> None:
    torch.manual_seed(0)
    vision = ConvVAE(latent_size=4, frame_shape=shape, width=2, learning_rate=1e-2)
    adam = torch.optim.Adam(vision.parameters(), lr=1e-2)
    frames = torch.zeros(4, *shape, dtype=torch.uint8)
    frames[:, -1, -1] = 255  # what stands in the last corner is seen too
    frames[:2, : shape[0] // 2] = 200
    errors = []
    for _ in range(25):
        adam.zero_grad()
        error, kl = vision.loss(frames)
        (error + kl).backward()  # type: ignore[no-untyped-call]
        adam.step()
        errors.append(float(error.detach()))
    assert errors[-1] < 0.6 * errors[0]
