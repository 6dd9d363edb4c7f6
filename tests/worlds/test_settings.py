"""A world's settings do its own work: they say what it is, refuse what it cannot be made of, and open it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Never

import pytest
import torch

from tests.worlds.toys import act, data, lane, live, memory, reality, start_states, vision
from wmframe.data.emphasis import EVENLY
from wmframe.engine.errors import UserError
from wmframe.envs.batch import EnvBatch, SerialBatch
from wmframe.envs.toy import Toy
from wmframe.memory.none import NoMemory
from wmframe.worlds.inputs import WorldInputs
from wmframe.worlds.rollout import rollout
from wmframe.worlds.settings import DreamSettings, RealitySettings
from wmframe.worlds.starts import StartStates

ENV = Toy(max_frames=12)


def unasked() -> Never:
    raise AssertionError("nobody needs it here")


@contextmanager
def environments() -> Iterator[Sequence[EnvBatch]]:
    with SerialBatch(ENV) as batch:
        yield [batch]


def inputs() -> WorldInputs:
    return WorldInputs(
        memory=memory(done_bias=-2.0),
        senses="zh",
        seed=0,
        vision=unasked,
        recorded=data,
        emphasis=EVENLY,
        start_pay=None,
        keep_starts=lambda draw: draw(),
        environments=None,
    )


def test_a_dream_starts_from_what_was_recorded_and_looks_at_nothing_else() -> None:
    kept: list[StartStates] = []

    def keep(draw: Callable[[], StartStates]) -> StartStates:
        kept.append(draw())
        return kept[-1]

    for start in ("warmed", "fresh"):
        settings = DreamSettings(horizon=4, start=start, starts=6, skip=1)
        with settings.open(replace(inputs(), keep_starts=keep)) as world:
            assert rollout(world, act, range(3)).lengths.max() <= 4
    warmed, fresh = kept
    assert warmed.packed["h"].any()
    assert not fresh.packed["h"].any()
    assert len(warmed.mu) == len(fresh.mu) == 6


def test_a_dream_that_was_begun_before_starts_from_what_was_kept() -> None:
    kept = start_states()
    with DreamSettings(horizon=4).open(replace(inputs(), recorded=unasked, keep_starts=lambda _: kept)) as world:
        again = DreamSettings(horizon=4).dream(memory(done_bias=-2.0), kept, "zh")
        assert lane(live(world, [7]), 0) == lane(live(again, [7]), 0)


def test_scored_it_pays_its_steps_alone() -> None:
    of, starts = memory(done_bias=-20.0, value_steps=3), start_states()
    plain, promised = (DreamSettings(horizon=4, bootstrap=bootstrap) for bootstrap in (False, True))
    steps = rollout(plain.dream(of, starts, "zh"), act, range(5)).returns
    assert torch.equal(rollout(promised.dream(of, starts, "zh", scored=True), act, range(5)).returns, steps)
    assert (rollout(promised.dream(of, starts, "zh"), act, range(5)).returns != steps).all()


def test_reality_is_the_environment_as_v_sees_it() -> None:
    at_hand = replace(inputs(), vision=vision, recorded=unasked, environments=environments, memory=memory())
    with RealitySettings(most_steps=5, sample_latent=False).open(at_hand) as world:
        expected = reality(most_steps=5, sample_latent=False)
        assert lane(live(world, [7]), 0) == lane(live(expected, [7]), 0)
    with pytest.raises(TypeError, match="RealitySettings needs an environment"), RealitySettings().open(inputs()):
        pass


def test_what_cannot_dream_is_refused_with_the_cure() -> None:
    blank = NoMemory(latent_size=4, action_size=1)
    with pytest.raises(UserError, match=r"no dream to search in\. Add world=reality"):
        DreamSettings(horizon=4).check(blank, ENV)
    with pytest.raises(UserError, match=r"Add memory\.value_steps=3"):
        DreamSettings(horizon=4, bootstrap=True).check(memory(), ENV)
    DreamSettings(horizon=4, bootstrap=True).check(memory(value_steps=2), ENV)
    RealitySettings().check(blank, ENV)


def test_who_was_trained_awake_has_no_dream() -> None:
    assert not RealitySettings().dreamt
    with pytest.raises(TypeError, match="RealitySettings is no dream"):
        RealitySettings().dream(memory(), start_states(), "zh")
    with pytest.raises(UserError, match="Reality has no gradient"):
        reality().differentiable()
