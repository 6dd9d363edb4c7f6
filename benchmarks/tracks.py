"""The real track: the exact renderer, tracks in bulk, and the waking loop around them. Legend: B lanes, A action."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.dreams import living
from benchmarks.measure import Burst, Effort, Row, compare
from benchmarks.parts import Live, memory, population, reality
from wmframe.engine.machine import cores
from wmframe.envs.batch import EnvBatch, SerialBatch
from wmframe.envs.car_racing import CarRacing, car_action
from wmframe.envs.process_batch import make_batch

LANES, STEPS = 64, 10
Actions = Callable[[], NDArray[np.float32]]


def gymnasium_alone(seed: int) -> Burst:
    """Return Gymnasium's environment as it comes, cropped and resized: what everybody else steps."""
    from gymnasium.envs.box2d.car_racing import CarRacing as GymnasiumCarRacing

    env, draw, left = GymnasiumCarRacing(), _actions(1, seed), 0

    def burst() -> float:
        nonlocal left
        if left < STEPS:
            env.reset(seed=seed)
            left = 250
        for _ in range(STEPS):
            observation, *_ = env.step(car_action(draw()[0]))
            image = Image.fromarray(np.ascontiguousarray(observation[:84]))
            np.array(image.resize((64, 64), Image.Resampling.BOX))
        left -= STEPS
        return float(STEPS)

    return burst


def environment(batch: EnvBatch, lanes: int, seed: int, *, frames: int = 1) -> Burst:
    """Return a batch of environments alone, driven at random; episodes are 250 steps and begin uncounted.

    A step counts as so many `frames`.
    """
    draw, left = _actions(lanes, seed), 0

    def burst() -> float:
        nonlocal left
        if left < STEPS:
            batch.reset(range(seed, seed + lanes))
            left = 250
        for _ in range(STEPS):
            batch.step(draw())
        left -= STEPS
        return float(STEPS * lanes * frames)

    return burst


def in_bulk(effort: Effort) -> Row:
    """Compare our renderer on all cores, an action held for four frames as in every recipe, with Gymnasium's."""
    spec = CarRacing(action_size=3, action_repeat=4)
    with make_batch(spec, cores()) as batch:
        ours, other = environment(batch, LANES, 1, frames=spec.action_repeat), gymnasium_alone(1)
        against = "Gymnasium's CarRacing-v3 in one process"
        return compare("reality_bulk", ours, other, unit="frames/s", against=against, effort=effort)


def rows(effort: Effort) -> list[Row]:
    """Compare environments with each other, with what drives in them, and with the dream."""
    spec = CarRacing(action_size=3)
    one, plain = environment(SerialBatch(spec), 1, 1), gymnasium_alone(1)
    against = "Gymnasium's CarRacing-v3, one process each"
    found = [compare("reality_exact", one, plain, unit="frames/s", against=against, effort=effort)]
    found.append(in_bulk(effort))
    with make_batch(spec, cores()) as alone, make_batch(spec, cores()) as driven:
        of = memory()
        seeds = list(range(2)) * (LANES // 2)
        waking = Live(reality(driven, of), population(of, LANES // 2), seeds, STEPS)
        still = environment(alone, LANES, 1)
        found += [
            compare("waking_loop", waking, still, unit="steps/s", against="its environments alone", effort=effort),
            compare(
                "dream_over_waking", living(of, LANES), waking, unit="steps/s", against="the waking loop", effort=effort
            ),
        ]
    return found


def _actions(lanes: int, seed: int) -> Actions:
    """Return a driver that goes on, more or less."""
    rng = np.random.default_rng(seed)
    return lambda: rng.uniform((-1.0, -1.0, -1.0), (1.0, 0.5, 0.2), (lanes, 3)).astype(np.float32)
