from collections.abc import Sequence

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from tests.worlds.toys import FRAMES, A, H, Z, dream, reality
from wmframe.controller.linear import Linear
from wmframe.envs.batch import SerialBatch
from wmframe.envs.toy import Toy
from wmframe.worlds.contract import Step, World
from wmframe.worlds.rollout import population_act, population_returns, rollout


class Countdown(World):
    """Lane with seed s lasts s steps, pays what it is told to do, and would pay dearly after its end if it could."""

    feature_size, action_size, time_limit = 1, 1, 10

    def __init__(self, lanes: int = 64) -> None:
        self.lanes = lanes
        self.widest = 0

    def reset(self, seeds: Sequence[int]) -> Step:
        self.left = torch.tensor(seeds)
        self.widest = max(self.widest, len(seeds))
        return Step(self.left[:, None].float(), torch.zeros(len(seeds)), self.left <= 0)

    def step(self, actions: Tensor) -> Step:
        paid = torch.where(self.left > 0, actions[:, 0], 0.0)
        self.left = self.left - 1
        return Step(self.left[:, None].float(), paid, self.left <= 0)


def test_returns_and_lengths_are_each_lanes_own() -> None:
    outcome = rollout(Countdown(), lambda features: torch.full_like(features, 0.5), [3, 1, 7])
    assert outcome.returns.tolist() == [1.5, 0.5, 3.5]
    assert outcome.lengths.tolist() == [3, 1, 7]
    assert outcome.returns.dtype == torch.float64


def test_returns_are_added_up_in_double_precision() -> None:
    world = Countdown()
    paid = iter([2.0**24, *[1.0] * 9])  # a float32 sum would lose the ones
    assert rollout(world, lambda f: torch.full_like(f, next(paid)), [10]).returns.item() == 2**24 + 9


def test_a_watcher_hears_of_the_beginning_and_of_every_step() -> None:
    heard: list[Tensor | None] = []
    left: list[list[float]] = []

    def watch(step: Step, actions: Tensor | None) -> None:
        heard.append(actions)
        left.append(step.features[:, 0].tolist())

    rollout(Countdown(), lambda features: features / 10, [2, 1], watch=watch)
    assert heard[0] is None
    assert left[0] == [2.0, 1.0]
    assert [round(float(actions[0, 0]), 3) for actions in heard[1:] if actions is not None] == [0.2, 0.1]


def test_no_seeds_is_no_episode() -> None:
    assert rollout(Countdown(), lambda features: features, []).returns.shape == (0,)


def test_each_candidate_drives_its_own_lanes() -> None:
    controller = Linear(latent_size=1, hidden_size=0, action_size=1, senses="z", bias=False)
    drive = population_act(controller, torch.tensor([[1.0], [-1.0]]))
    seen = torch.arange(1.0, 7.0)[:, None]
    torch.testing.assert_close(drive(seen), torch.tanh(seen * torch.tensor([[1.0], [1], [1], [-1], [-1], [-1]])))


@pytest.mark.parametrize("lanes", [1, 3, 4, 7, 64])
def test_a_population_shares_lanes_up_to_what_the_world_likes(lanes: int) -> None:
    world, controller = Countdown(lanes), Linear(latent_size=1, hidden_size=0, action_size=1, senses="z")
    parameters = torch.linspace(-1, 1, 10).view(5, 2)
    returns = population_returns(world, controller, parameters, [2, 4])
    assert returns.shape == (5, 2)
    assert world.widest <= max(lanes, 2)
    for number, row in enumerate(returns):
        one = population_returns(Countdown(), controller, parameters[number : number + 1], [2, 4])
        torch.testing.assert_close(row, one[0])


@pytest.mark.parametrize("kind", ["dream", "reality"])
def test_a_candidates_returns_do_not_depend_on_its_rivals(kind: str) -> None:
    """Up to rounding: a matrix product of another size may round its last bit otherwise, and episodes amplify it."""
    world: World = dream(done_rule="never") if kind == "dream" else reality()
    controller = Linear(latent_size=Z, hidden_size=H, action_size=A)
    parameters = torch.randn(6, controller.size, generator=torch.Generator().manual_seed(0))
    seeds = [5, 9, 2]
    together = population_returns(world, controller, parameters, seeds)
    assert len(set(together.flatten().tolist())) > 12
    backwards = population_returns(world, controller, parameters.flip(0), seeds).flip(0)
    torch.testing.assert_close(backwards, together, rtol=1e-4, atol=1e-5)
    for number in range(6):
        alone = population_returns(world, controller, parameters[number : number + 1], seeds)[0]
        torch.testing.assert_close(alone, together[number], rtol=1e-4, atol=1e-5)


def test_the_same_search_step_twice_is_the_same_bits() -> None:
    controller = Linear(latent_size=Z, hidden_size=H, action_size=A)
    parameters = torch.randn(6, controller.size, generator=torch.Generator().manual_seed(0))
    for world in (dream(), reality()):
        one, other = (population_returns(world, controller, parameters, [5, 9]) for _ in range(2))
        assert torch.equal(one, other)


@pytest.mark.parametrize(("candidates", "seeds"), [(9, range(7)), (1, range(70)), (2, [3])])
def test_twins_awake_find_the_same_returns_and_each_does_some_of_it(candidates: int, seeds: Sequence[int]) -> None:
    """More seeds than lanes, more twins than candidates: whatever there is, is shared."""
    controller = Linear(latent_size=Z, hidden_size=H, action_size=A)
    parameters = torch.randn(candidates, controller.size, generator=torch.Generator().manual_seed(5))
    alone = population_returns(reality(), controller, parameters, seeds)
    batches = [Asked(Toy(max_frames=FRAMES)) for _ in range(2)]
    together = population_returns(reality(batches=batches), controller, parameters, seeds)
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)
    assert all(0 < batch.begun < candidates * len(seeds) for batch in batches)
    assert sum(batch.begun for batch in batches) == candidates * len(seeds)


class Asked(SerialBatch):
    """It counts the episodes that it was asked to begin."""

    begun = 0

    def reset(self, seeds: Sequence[int]) -> NDArray[np.uint8]:
        self.begun += len(seeds)
        return super().reset(seeds)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_any_number_of_threads_finds_the_same_returns(threads: int) -> None:
    world, seeds = dream(), [3, 1, 4]
    controller = Linear(latent_size=Z, hidden_size=H, action_size=A)
    parameters = torch.randn(7, controller.size, generator=torch.Generator().manual_seed(5))
    alone = torch.cat([population_returns(world, controller, one[None], seeds) for one in parameters])
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        together = population_returns(world, controller, parameters, seeds)
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)
