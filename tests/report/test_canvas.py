import numpy as np
import pytest
import torch
from torch import Tensor

from tests.report.examples import canvas
from wmframe.report.canvas import STEPS, nats, paint, telling, typical
from wmframe.report.contents import Canvas
from wmframe.vision.contract import Latent
from wmframe.vision.conv_vae import ConvVAE, divergence

IDLE, LITTLE, MUCH = 0, 1, 2


def recorded(count: int = 500) -> tuple[Tensor, Tensor]:
    """Latents (N, 3): the first dimension is the prior itself, the others spread by 0.5 and 2."""
    mu = torch.randn(count, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([0.0, 0.5, 2.0])
    return mu, torch.tensor([0.0, -1.0, -3.0]).expand_as(mu)


def test_what_the_dimensions_carry_adds_up_to_the_divergence() -> None:
    mu, logvar = recorded()
    assert nats(mu, logvar).sum().item() == pytest.approx(divergence(Latent(mu, logvar)).mean().item(), rel=1e-5)
    assert nats(mu, logvar)[IDLE] == 0


def test_idle_dimensions_are_left_out_and_the_others_sorted() -> None:
    assert telling(nats(*recorded())).tolist() == [MUCH, LITTLE]
    assert telling(torch.tensor([0.0, 0.01])).tolist() == [1], "one is always shown"


def test_the_typical_frame_is_the_one_in_the_middle() -> None:
    mu = torch.tensor([[0.0, 100.0], [1.0, 300.0], [1.1, 400.0], [2.0, 500.0]])
    assert typical(mu).tolist() == mu[1].tolist()


def test_a_row_sweeps_one_dimension_over_what_was_recorded_and_leaves_the_rest() -> None:
    torch.manual_seed(0)
    vision = ConvVAE(latent_size=3, width=4).eval()
    mu, logvar = recorded()
    base = typical(mu)
    made = paint(vision, mu, logvar, base)
    assert (made.dimensions, made.total, made.frames.shape) == ([MUCH, LITTLE], 3, (2, STEPS, 64, 64, 3))
    assert (made.low[0], made.high[0]) == pytest.approx(np.quantile(mu[:, MUCH], [0.01, 0.99]), abs=1e-5)
    ends = base.repeat(2, 1)
    ends[:, MUCH] = torch.tensor([made.low[0], made.high[0]])
    with torch.inference_mode():
        assert np.array_equal(made.frames[0, [0, -1]], vision.decode(ends).numpy())


def test_a_canvas_of_uneven_lengths_is_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        Canvas(frames=canvas().frames, dimensions=[1], nats=[1.0], low=[0.0], high=[1.0], total=9)
    with pytest.raises(ValueError, match="expected"):
        Canvas(frames=canvas().frames[0], dimensions=[1], nats=[1.0], low=[0.0], high=[1.0], total=9)
