import numpy as np
import pytest
import torch

from wmframe.memory.mixture import Mixture
from wmframe.report.hesitation import hesitation, in_play, weights

T, K, Z = 6, 4, 5


def mixture(gaussians: int = K) -> Mixture:
    chance = torch.Generator().manual_seed(0)
    return Mixture(3 * torch.randn(T, 3, gaussians, Z, generator=chance))


def test_weights_are_those_that_a_dream_draws_by() -> None:
    """A cold dream is sure, a hot one is not; they sum to one."""
    said = mixture()
    for temperature in (0.1, 1.0, 10.0):
        assert torch.allclose(weights(said, temperature).sum(1), torch.ones(T, Z))
    assert torch.allclose(weights(said, 1.0), said.logits.softmax(1))
    assert weights(said, 0.1).max() > 0.999
    assert weights(said, 1000.0).max() < 1 / K + 0.01


def test_one_sure_gaussian_is_one_in_play_and_equal_ones_are_all() -> None:
    sure, equal = torch.eye(K)[:1, :, None], torch.full((1, K, 1), 1 / K)
    assert in_play(sure).item() == pytest.approx(1)
    assert in_play(equal).item() == pytest.approx(K)


def test_the_first_dimensions_are_drawn_in_layers_that_fill_the_figure() -> None:
    playing, first, second = hesitation(mixture(), [3, 0, 4], primed=2, temperature=1.15)
    assert (first.title, second.title) == ("M: weights for z3", "M: weights for z0")
    assert first.stacked
    assert not playing.stacked
    assert np.sum([np.asarray(layer.y) for layer in first.series], axis=0) == pytest.approx(np.ones(T))
    assert first.series[1].y == pytest.approx(weights(mixture(), 1.15)[:, 1, 3].tolist())
    [mean] = playing.series
    assert mean.y == pytest.approx(in_play(weights(mixture(), 1.15))[:, [3, 0, 4]].mean(-1).tolist())
    assert list(mean.x) == [2, 3, 4, 5, 6, 7]
    assert "From step 3 on" in first.note
    assert "τ = 1.15" in first.note


def test_one_gaussian_has_nothing_to_hesitate_between() -> None:
    assert hesitation(mixture(1), [0], primed=2, temperature=1.0) == []
