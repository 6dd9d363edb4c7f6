"""How M divides its bets while it dreams: the weights of its Gaussians, step by step.

M's mixtures along an open-loop dream come in, `Curve`s go out. Called for the page and by the notebooks.
Legend: T steps, K mixtures, Z latent.
"""

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from wmframe.memory.mixture import Mixture
from wmframe.report.contents import Curve, Series

SHOWN: Final = 2
"""Dimensions whose weights are drawn."""


def weights(mixture: Mixture, temperature: float) -> Tensor:
    """Return the weights (T, K, Z) that a dream at τ = `temperature` draws its Gaussians by; they sum to 1 over K."""
    return (mixture.logits / temperature).softmax(-2)


def in_play(shares: Tensor) -> Tensor:
    """Return how many Gaussians are in play (T, Z), from weights (T, K, Z): e to their entropy, 1 (certain) to K."""
    entropy: Tensor = torch.special.entr(shares).sum(-2)
    return entropy.exp()


def hesitation(mixture: Mixture, dimensions: Sequence[int], *, primed: int, temperature: float) -> list[Curve]:
    """Draw how many Gaussians are in play over the given dimensions of z, and the weights in the first few of them.

    `mixture` (T - 1, K, Z) is what M said of steps 2 … T of a dream whose first `primed` steps were shown to it. A
    memory of one Gaussian has nothing to hesitate between: no curve.
    """
    shares = weights(mixture, temperature)[..., list(dimensions)]
    steps, count, _ = shares.shape
    if count == 1:
        return []
    x = range(2, steps + 2)
    playing = in_play(shares)
    band = playing.quantile(torch.tensor([0.25, 0.75]), -1)
    alone = f"From step {primed + 1} on M dreams alone. Weights at τ = {temperature:g}."
    curves = [
        Curve(
            "M: Gaussians in play",
            "step",
            f"e to the entropy of the weights, 1 to {count}",
            [Series("mean", x, playing.mean(-1).tolist(), band[0].tolist(), band[1].tolist())],
            f"Mean over the {len(dimensions)} dimensions of z that say something; band: the middle half. {alone}",
        )
    ]
    for place, dimension in enumerate(dimensions[:SHOWN]):
        layers = [Series(f"Gaussian {k + 1}", x, shares[:, k, place].tolist()) for k in range(count)]
        note = f"The weights of M's {count} Gaussians for this dimension, one on top of the other. {alone}"
        curves.append(Curve(f"M: weights for z{dimension}", "step", "share", layers, note, stacked=True))
    return curves
