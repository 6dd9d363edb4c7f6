import numpy as np
import pytest
import torch

from tests.collect.toys import collect, setting
from wmframe.collect.blind import Brownian, Held


def paths(source: Brownian | Held, frames: int = 300) -> np.ndarray:
    """Each episode's first actions (B, T) as numbers; zeros once the walker has fallen off."""
    with setting(max_frames=frames) as where:
        batch = next(source.batches(where))
        seen = torch.zeros(len(batch.seeds), batch.world.feature_size)
        return torch.cat([batch.act(seen) for _ in range(frames)], 1).numpy()


def test_brownian_motion_begins_at_rest_and_moves_by_its_spread() -> None:
    walked = paths(Brownian(episodes=40, spread=0.05), 100)
    steps = np.diff(walked, axis=1, prepend=0)
    free = np.abs(walked) < 0.8  # away from the ends nothing is clipped
    assert steps[:, 0].std() == pytest.approx(0.05, rel=0.35)
    assert steps[free].std() == pytest.approx(0.05, rel=0.05)
    assert np.abs(steps).max() < 0.05 * 6
    assert np.abs(walked.mean()) < 0.1


def test_brownian_motion_reaches_the_ends_and_leaves_them() -> None:
    walked = paths(Brownian(episodes=10, spread=0.3))
    assert (walked == 1).any()
    assert (walked == -1).any()
    assert (np.abs(walked) < 0.5).mean() > 0.2


def test_neighbouring_actions_are_alike_and_episodes_are_not() -> None:
    walked = paths(Brownian(episodes=20))
    assert np.corrcoef(walked[:, :-1].ravel(), walked[:, 1:].ravel())[0, 1] > 0.9
    assert np.abs(np.corrcoef(walked)[np.triu_indices(20, 1)]).mean() < 0.5


@pytest.mark.parametrize("longest", [1, 4, 10])
def test_an_action_is_held_for_up_to_the_longest(longest: int) -> None:
    walked = paths(Held(episodes=20, longest=longest), 600)
    lengths = []
    for path in walked:
        changes = np.flatnonzero(np.diff(path))
        lengths += np.diff(changes).tolist()
    assert set(lengths) == set(range(1, longest + 1))
    assert np.mean(lengths) == pytest.approx((1 + longest) / 2, rel=0.05)


def test_held_actions_are_uniform() -> None:
    walked = paths(Held(episodes=40, longest=2), 400)
    counts, _ = np.histogram(walked, bins=4, range=(-1, 1))
    np.testing.assert_allclose(counts / counts.sum(), 0.25, atol=0.02)


def test_they_say_what_they_are() -> None:
    with setting() as where:
        assert set(collect(Held(episodes=3), where)[0].policies) == {"held"}
        assert set(collect(Brownian(episodes=3), where)[0].policies) == {"brownian"}
        assert Held(episodes=1).origin(where) == Brownian(episodes=1).origin(where) == "random"
