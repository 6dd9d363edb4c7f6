import numpy as np
import torch

from tests.collect.toys import Played, collect, setting
from wmframe.collect.evolving import Evolving
from wmframe.collect.exploration import Exploration
from wmframe.controller.linear import Linear
from wmframe.memory.none import NoMemory
from wmframe.search.settings import Search
from wmframe.vision.none import NoVision


def evolving(*, generations: int, population: int = 16, rollouts: int = 6) -> Evolving:
    return Evolving(
        exploration=Exploration(epsilons=[0.0]),
        vision=NoVision(latent_size=64),
        memory=NoMemory(latent_size=64, action_size=1),
        controller=Linear(latent_size=64, hidden_size=0, action_size=1, senses="z"),
        search=Search(population=population, rollouts=rollouts, generations=generations, sigma=0.3),
    )


def generations(count: int) -> list[Played]:
    with setting(max_frames=25) as where:
        return collect(evolving(generations=count), where)


def test_a_few_generations_drive_better() -> None:
    means = [batch.returns.mean() for batch in generations(14)]
    assert len(means) == 14
    assert np.mean(means[-3:]) > 1.2 * np.mean(means[:3])


def test_all_candidates_of_a_generation_meet_the_same_tracks_and_no_other_does() -> None:
    batches = generations(3)
    for batch in batches:
        rows = np.reshape(batch.seeds, (16, 6))
        assert (rows == rows[0]).all()
        assert len(set(rows[0])) == 6
    assert len({seed for batch in batches for seed in batch.seeds}) == 18
    assert [set(batch.policies) for batch in batches] == [{"evolving_0"}, {"evolving_1"}, {"evolving_2"}]


def test_what_comes_next_depends_on_what_was_earned() -> None:
    whole = generations(2)
    with setting(max_frames=25) as where:
        told = collect(evolving(generations=2), where, known=[whole[0].returns])
        lied = collect(evolving(generations=2), where, known=[whole[0].returns[::-1].copy()])
    assert torch.equal(told[0].actions, whole[1].actions)
    assert lied[0].actions.shape != told[0].actions.shape or not torch.equal(lied[0].actions, told[0].actions)


def test_it_says_that_a_population_evolved() -> None:
    with setting() as where:
        assert evolving(generations=1).origin(where) == "evolved"
