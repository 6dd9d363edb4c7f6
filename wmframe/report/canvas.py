"""The latent canvas: what each dimension of z says, seen by changing it alone.

V and the recorded latents come in, a `Canvas` goes out. Called for the page and by the notebooks.
Legend: N frames, Z latent, D dimensions that say something, S steps of a sweep.
"""

from typing import Final

import torch
from torch import Tensor

from wmframe.report.contents import Canvas, in_colour
from wmframe.vision.contract import Vision

STEPS: Final = 9
IDLE: Final = 0.05
"""A dimension that carries fewer nats than this says nothing that could be seen."""

SPAN: Final = (0.01, 0.99)
"""From which to which quantile of the recorded mu a dimension is swept: what the data spans, but for stray frames."""


def nats(mu: Tensor, logvar: Tensor) -> Tensor:
    """Return what each dimension carries (Z,): its mean KL from the prior over recorded mu, logvar (N, Z)."""
    return 0.5 * (mu.square() + logvar.exp() - 1 - logvar).mean(0)


def telling(carried: Tensor) -> Tensor:
    """Return the numbers (D,) of the dimensions that are not idle, those that carry the most first; at least one."""
    order = carried.argsort(descending=True)
    return order[: max(1, int((carried >= IDLE).sum()))]


def typical(mu: Tensor) -> Tensor:
    """Return the mu (Z,) of the frame nearest to the mean of all (N, Z), each dimension in units of its own spread."""
    return mu[((mu - mu.mean(0)) / mu.std(0).clamp(min=1e-6)).square().sum(1).argmin()]


@torch.inference_mode()
def paint(vision: Vision, mu: Tensor, logvar: Tensor, base: Tensor) -> Canvas:
    """Sweep what says something over what `mu` (N, Z) spans, a dimension at a time from `base` (Z,), and decode."""
    carried = nats(mu, logvar)
    order = telling(carried)
    low, high = mu.quantile(torch.tensor(SPAN), 0)[:, order]
    swept = base.repeat(len(order), STEPS, 1)
    for row, dimension in enumerate(order):
        swept[row, :, dimension] = torch.linspace(float(low[row]), float(high[row]), STEPS)
    frames = in_colour(vision.decode(swept.flatten(0, 1)).numpy())
    return Canvas(
        frames=frames.reshape(len(order), STEPS, *frames.shape[1:]),
        dimensions=order.tolist(),
        nats=carried[order].tolist(),
        low=low.tolist(),
        high=high.tolist(),
        total=len(base),
    )
