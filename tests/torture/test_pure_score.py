"""A score is a function of parameters and seed: of nothing else that a machine or a moment could add.

At the paper's sizes, on the real track: any number of workers and lanes, any order, either renderer, used environments,
a worker lost on the way. What is compared is compared to the bit.
"""

import hashlib
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_model

from tests.envs.specs import held
from tests.torture.apart import lines_of
from tests.torture.conftest import Figure
from tests.torture.scale import FULL, times
from tests.torture.scored import A, H, Weights, Z
from wmframe.envs.batch import EnvBatch, SerialBatch
from wmframe.envs.car_racing import CarRacing
from wmframe.envs.process_batch import ProcessBatch, make_batch
from wmframe.worlds.dream import Dream
from wmframe.worlds.driver import Driver
from wmframe.worlds.rollout import Outcome, population_returns, rollout
from wmframe.worlds.starts import StartStates

SHORT = CarRacing(action_repeat=4, max_frames=120 if FULL else 40)
Results = dict[int, tuple[float, int]]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def driver() -> Driver:
    torch.manual_seed(5)
    return Weights().driver()


def by_seed(seeds: Sequence[int], outcome: Outcome) -> Results:
    """Every seed's return and length."""
    return dict(zip(seeds, zip(outcome.returns.tolist(), outcome.lengths.tolist(), strict=True), strict=True))


@torch.inference_mode()
def awake(driver: Driver, batch: EnvBatch, seeds: Sequence[int], together: int = 64) -> Results:
    """What the driver earns awake, so many episodes at a time."""
    found: Results = {}
    for at in range(0, len(seeds), together):
        group = seeds[at : at + together]
        found |= by_seed(group, rollout(driver.awake(batch), driver.act(), group))
    return found


def test_a_driver_earns_the_same_on_a_seed_whatever_else_goes_on(driver: Driver) -> None:
    seeds = list(range(100, 100 + times(40, 11)))
    shuffled = [int(seed) for seed in np.random.default_rng(0).permutation(seeds)]
    with SerialBatch(SHORT) as batch:
        alone = awake(driver, batch, seeds)
        assert len({earned for earned, _ in alone.values()}) > len(seeds) // 2
        assert awake(driver, batch, shuffled, together=5) == alone, "out of order, in used environments"
        few = shuffled[: times(12, 3)]
        assert awake(driver, batch, few, together=1) == {seed: alone[seed] for seed in few}, "one by one"
    with make_batch(SHORT, 2) as several:
        assert awake(driver, several, seeds, together=17) == alone, "in two processes"
    with make_batch(replace(SHORT, renderer="reference"), times(3, 1)) as plain:
        few = seeds[: times(20, 2)]
        assert awake(driver, plain, few, together=3) == {seed: alone[seed] for seed in few}, "drawn by Gymnasium"


ROUNDINGS = {
    "this one": {},
    "another": {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"},
    "a third, in threads": {"ATEN_CPU_CAPABILITY": "avx2", "MKL_CBWR": "SSE4_2", "OMP_NUM_THREADS": "2"},
}
"""How processors differ: in which instructions PyTorch and MKL find, and so in the order in which they add."""


def test_a_score_is_the_same_on_every_kind_of_processor(tmp_path: Path, figure: Figure) -> None:
    torch.manual_seed(5)
    save_model(Weights(), str(tmp_path / "driver.safetensors"))
    words = (str(tmp_path / "driver.safetensors"), str(times(1000, 120)), str(times(16, 4)))
    found = [
        lines_of("tests.torture.scored", *words, environment={**os.environ, **rounding})[0]
        for rounding in ROUNDINGS.values()
    ]
    assert all(other["float64"] == found[0]["float64"] for other in found)
    assert len({other["float32"]["actions"] for other in found}) > 1, "roundings that change nothing show nothing"
    figure("ways of rounding", len(found))
    figure("episodes", len(found[0]["float64"]["returns"]))


def test_a_driver_earns_the_same_although_a_worker_is_lost(driver: Driver) -> None:
    seeds = list(range(200, 200 + times(12, 4)))
    with SerialBatch(SHORT) as batch:
        undisturbed = awake(driver, batch, seeds)
    steps = 0
    with ProcessBatch(SHORT, 2) as several, torch.inference_mode():

        def strike(*_: object) -> None:
            nonlocal steps
            steps += 1
            if steps == 6:
                os.kill(several.workers[1].process.pid or 0, signal.SIGKILL)

        outcome = rollout(driver.awake(several), driver.act(), seeds, watch=strike)
        assert several.replaced == 1
    assert by_seed(seeds, outcome) == undisturbed


def test_a_driver_dreams_the_same_on_a_seed_whoever_dreams_beside_it(driver: Driver) -> None:
    chance = torch.Generator().manual_seed(1)
    mu, logvar, h, c = (torch.randn(20, size, generator=chance) for size in (Z, Z, H, H))
    states = StartStates(mu, logvar, {"h": h, "c": c})
    dream = Dream(
        memory=driver.memory,
        starts=states,
        senses=driver.controller.senses,
        horizon=times(60, 20),
        temperature=1.0,
        done_rule="never",
    )
    seeds = list(range(times(130, 70)))
    together = by_seed(seeds, rollout(dream, driver.act(), seeds))
    for group in (1, 2, 5, 8, 64):
        some = seeds[:: -times(5, 23)]
        for at in range(0, len(some), group):
            part = some[at : at + group]
            assert by_seed(part, rollout(dream, driver.act(), part)) == {seed: together[seed] for seed in part}


def test_a_candidates_fitness_does_not_depend_on_its_rivals(driver: Driver) -> None:
    """On the same seeds, that is on as many: so a search is the same for any number of workers and lanes."""
    candidates = torch.randn(times(24, 5), driver.controller.size, generator=torch.Generator().manual_seed(3)) * 0.5
    seeds = [7, 3, 11]

    def fitness(batch: EnvBatch, some: torch.Tensor) -> list[list[float]]:
        return population_returns(driver.awake(batch), driver.controller, some, seeds).tolist()

    with SerialBatch(SHORT) as batch:
        whole = fitness(batch, candidates)
        assert fitness(batch, candidates.flip(0)) == whole[::-1], "another order"
        for number in (0, len(candidates) - 1):
            assert fitness(batch, candidates[number : number + 1]) == [whole[number]], "alone"
    with make_batch(SHORT, 2) as several:
        assert fitness(several, candidates) == whole, "in two processes"


def episodes(batch: EnvBatch, seeds: Sequence[int], steps: int) -> dict[int, str]:
    """A hash of every episode's frames, rewards and flags, driven by actions that its seed alone decides."""
    policies: list[Callable[[int], np.ndarray]] = [held(seed, A, frames=2) for seed in seeds]
    hashes = [hashlib.sha256(frame.tobytes()) for frame in batch.reset(seeds)]
    alive = np.ones(len(seeds), np.bool_)
    for step in range(steps):
        seen = batch.step(np.stack([policy(step) for policy in policies]))
        for lane in np.flatnonzero(alive):
            for part in (seen.frames, seen.rewards, seen.terminated, seen.truncated):
                hashes[lane].update(part[lane].tobytes())
        alive = ~seen.over
    return {seed: found.hexdigest() for seed, found in zip(seeds, hashes, strict=True)}


def test_two_hundred_episodes_of_the_real_track_replay_to_the_pixel(figure: Figure) -> None:
    spec = CarRacing(action_repeat=8, max_frames=600 if FULL else 160)
    seeds = list(range(1000, 1000 + times(200, 6)))
    fresh: dict[int, str] = {}
    for seed in seeds:
        with SerialBatch(spec) as batch:
            fresh |= episodes(batch, [seed], spec.most_steps)
    assert len(set(fresh.values())) == len(seeds)
    chance = np.random.default_rng(7)
    shuffled = [int(seed) for seed in chance.permutation(seeds)]
    with SerialBatch(spec) as batch:
        for at in range(0, len(seeds), 3):
            group = shuffled[at : at + 3]
            episodes(batch, [int(seed) for seed in chance.integers(0, 1000, 3)], int(chance.integers(1, 9)))  # cut off
            assert episodes(batch, group, spec.most_steps) == {seed: fresh[seed] for seed in group}
    with make_batch(spec, 2) as several:
        for at in range(0, len(seeds), 16):
            group = shuffled[::-1][at : at + 16]
            assert episodes(several, group, spec.most_steps) == {seed: fresh[seed] for seed in group}
    with SerialBatch(replace(spec, renderer="reference")) as plain:
        for seed in shuffled[:: times(10, 5)]:
            assert episodes(plain, [seed], spec.most_steps) == {seed: fresh[seed]}
    figure("episodes replayed", len(seeds))
    figure("frames drawn in each replay", len(seeds) * spec.most_steps)
