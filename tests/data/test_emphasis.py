import numpy as np
import pytest

from wmframe.data.emphasis import Emphasis
from wmframe.data.latents import EpisodeRef


def episodes(*steps_by_round: int) -> list[EpisodeRef]:
    return [EpisodeRef(folder, 0, steps + 1, steps) for folder, steps in enumerate(steps_by_round)]


def test_recency_is_the_ratio_between_a_round_and_the_next_within_the_later_share() -> None:
    every, later = Emphasis(later_share=0.7, recency=0.5).split(episodes(9, 10, 10, 10), 100)
    assert (every.count, later.count) == (30, 70)
    assert [episode.folder for episode in later.episodes] == [1, 2, 3]
    np.testing.assert_allclose(later.chances, [1 / 7, 2 / 7, 4 / 7])
    np.testing.assert_allclose(every.chances, np.array([9, 10, 10, 10]) / 39)


def test_episodes_are_drawn_in_proportion_to_the_places_that_they_have() -> None:
    every, later = Emphasis(later_share=0.5).split(episodes(12, 7, 22), 8, places=lambda episode: episode.steps - 2)
    np.testing.assert_allclose(every.chances, [10 / 35, 5 / 35, 20 / 35])
    np.testing.assert_allclose(later.chances, [0.2, 0.8])


@pytest.mark.parametrize("recency", [1.0, 0.3])
def test_the_first_round_alone_serves_for_later_ones(recency: float) -> None:
    _, later = Emphasis(later_share=1.0, recency=recency).split(episodes(5), 4)
    assert (len(later.episodes), later.count) == (1, 4)
    assert later.chances.tolist() == [1.0]
