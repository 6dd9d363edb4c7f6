import pytest
import torch

from tests.plugins.transformer_memory import TransformerMemory
from tests.worlds.toys import FRAMES, A, Z, dream, live, reality, vision
from wmframe.envs.batch import SerialBatch
from wmframe.envs.gymnasium_pixels import GymnasiumPixels
from wmframe.envs.toy import Toy
from wmframe.worlds.environment import Environment
from wmframe.worlds.reality import Reality

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


def test_what_is_told_is_an_action_of_the_environments_own() -> None:
    spec = GymnasiumPixels(id="CartPole-v1", actions="discrete", action_size=2, max_frames=4)
    world = Environment(SerialBatch(spec))
    assert world.reset(SEEDS).acted is None
    acted = world.step(torch.tensor([[0.2, 0.1], [-1.0, -0.5], [0.0, 0.0]])).acted
    assert acted is not None
    assert acted.tolist() == [[1, 0], [0, 1], [1, 0]]


def test_m_hears_of_what_was_told_and_not_of_what_was_wanted() -> None:
    spec = GymnasiumPixels(id="CartPole-v1", actions="discrete", action_size=2, max_frames=4)
    of = TransformerMemory(latent_size=Z, action_size=2).eval()
    world = Reality(batch=SerialBatch(spec), vision=vision(), memory=of, senses="zh", sample_latent=True)
    wanted, told = torch.tensor([[0.2, 0.1]]), torch.tensor([[1.0, 0.0]])
    one, other = (live(world, [3], drive=lambda _, action=action: action) for action in (wanted, told))  # type: ignore[misc]
    assert len(one) > 2
    for mine, theirs in zip(one, other, strict=True):
        assert torch.equal(mine.features, theirs.features)


def test_where_there_is_no_environment_nothing_is_shown() -> None:
    with pytest.raises(TypeError, match="no environment"):
        dream().reset(SEEDS).shown()
