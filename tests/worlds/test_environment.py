import pytest
import torch

from tests.worlds.toys import FRAMES, A, dream, live, reality
from wmframe.envs.batch import SerialBatch
from wmframe.envs.toy import Toy
from wmframe.worlds.environment import Environment

SEEDS = [3, 4, 8]


@pytest.mark.parametrize("most_steps", [None, 5, 2 * FRAMES])
def test_it_is_reality_with_nobody_to_look(most_steps: int | None) -> None:
    seen = live(reality(most_steps=most_steps), SEEDS, drive=lambda _: torch.full((3, A), 0.3))
    world = Environment(SerialBatch(Toy(max_frames=FRAMES)), most_steps=most_steps)
    unseen = live(world, SEEDS, drive=lambda features: torch.full((len(features), A), 0.3))
    assert world.time_limit == min(FRAMES, most_steps or FRAMES)
    assert len(unseen) == len(seen) > 2
    for blind, sighted in zip(unseen, seen, strict=True):
        assert blind.features.shape == (3, 0)
        assert torch.equal(blind.reward, sighted.reward)
        assert torch.equal(blind.done, sighted.done)
        assert (blind.shown().frames == sighted.shown().frames).all()


def test_where_there_is_no_environment_nothing_is_shown() -> None:
    with pytest.raises(TypeError, match="no environment"):
        dream().reset(SEEDS).shown()
