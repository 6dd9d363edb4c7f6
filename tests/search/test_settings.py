"""A search's settings refuse what it cannot search in, and train C; what either loop does, its own tests tell."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.worlds.pursuit import pursuit
from wmframe.controller.linear import Linear
from wmframe.engine.errors import UserError
from wmframe.engine.machine import Machine
from wmframe.engine.runs.context import StageContext
from wmframe.engine.tracking.history import read
from wmframe.engine.tracking.progress import Progress
from wmframe.search.contract import Score, SearchContext, scorer
from wmframe.search.settings import GradientSearch, Search, SearchSettings
from wmframe.search.strategy import Parameters
from wmframe.worlds.settings import DreamSettings, RealitySettings

CPU = torch.device("cpu")
EVOLUTION = Search(population=16, rollouts=8, generations=40, sigma=0.3, check_every=10, select_rollouts=16)
CLIMB = GradientSearch(updates=60, dreams=64, learning_rate=0.05, check_every=10, select_rollouts=16)


class Dark(DreamSettings):
    """A dream without a gradient."""

    @property
    def differentiable(self) -> bool:
        return False


def controller() -> Linear:
    return Linear(latent_size=1, hidden_size=0, action_size=1, senses="z")


@dataclass
class Counted:
    """A way to score that knows on which seeds it was asked."""

    score: Score
    asked: list[tuple[int, ...]]

    def __call__(self, candidates: Parameters, seeds: Sequence[int]) -> np.ndarray:
        self.asked.append(tuple(seeds))
        return self.score(candidates, seeds)


@pytest.fixture
def context(tmp_path: Path) -> SearchContext:
    """Searching in the dream whose best driver acts half of what it sees."""
    (tmp_path / "output").mkdir()
    (tmp_path / "resume").mkdir()
    stage = StageContext(
        name="controller.1",
        key="0" * 16,
        config={},
        work=tmp_path,
        machine=Machine(accelerator="cpu"),
        allowed=("wmframe",),
        progress=Progress(None),
        listener=lambda row: None,
    )
    return SearchContext(score=scorer(pursuit(), controller(), CPU), seed=3, stage=stage)


@pytest.mark.parametrize("search", [EVOLUTION, CLIMB], ids=["evolution", "gradient"])
def test_it_trains_c_and_says_on_select_seeds_how_good_it_is(search: SearchSettings, context: SearchContext) -> None:
    counted = Counted(context.score, [])
    start = np.zeros(controller().size)
    found = search.train(pursuit(), controller(), start, replace(context, score=counted))
    select = tuple(context.select_seeds(16))
    assert found.select_score == context.score(found.parameters[None], select)[0]
    assert found.select_score > 0.5 * context.score(start[None], select)[0], "it has learned little"
    assert select in counted.asked
    assert len({seed for asked in counted.asked for seed in asked if asked != select} & set(select)) == 0
    assert read(context.stage.output / "history.jsonl")[-1]["step"] == found.generation


@pytest.mark.parametrize("search", [EVOLUTION, CLIMB], ids=["evolution", "gradient"])
def test_with_nothing_to_do_it_returns_the_start(search: SearchSettings, context: SearchContext) -> None:
    start = np.full(controller().size, 0.25)
    idle = replace(search, **{"generations" if isinstance(search, Search) else "updates": 0})
    found = idle.train(pursuit(), controller(), start, context)
    assert (found.parameters == start).all()
    assert found.generation == 0


def test_a_gradient_is_looked_for_before_any_work() -> None:
    CLIMB.check(DreamSettings(horizon=4))
    with pytest.raises(UserError, match=r"Dark has no gradient to climb\. Add search=cma"):
        CLIMB.check(Dark(horizon=4))
    with pytest.raises(UserError, match="on the real track there is nothing to climb through"):
        CLIMB.check(RealitySettings())


def test_an_optimizer_is_begun_before_any_work() -> None:
    EVOLUTION.check(RealitySettings())
    with pytest.raises(UserError, match=r"search\.optimizer=PS0 is not among"):
        replace(EVOLUTION, optimizer="PS0").check(DreamSettings(horizon=4))
