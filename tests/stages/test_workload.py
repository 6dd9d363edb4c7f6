"""Work grows with what a stage counts, and who says nothing known is not judged."""

from dataclasses import replace

import pytest

from wmframe.cli.prepare import EXPERIMENT
from wmframe.engine.config.bind import Component, bind
from wmframe.engine.config.compose import compose
from wmframe.engine.config.shipped import choices
from wmframe.engine.graph.recipe import nodes_of
from wmframe.engine.graph.work import Work, work_of

QUICK = ("experiment=car_racing", "preset=quick", "tracker=none", "search=cma_quick")


def works(*overrides: str) -> dict[str, Work | None]:
    return {node.name: work_of(node) for node in nodes_of(bind(compose(list(overrides)), target=EXPERIMENT))}


def seconds(name: str, *overrides: str) -> float:
    work = works(*QUICK, *overrides)[name]
    assert work is not None
    return work.seconds


@pytest.mark.parametrize("experiment", choices()["experiment"])
def test_every_stage_of_the_shipped_experiments_is_judged(experiment: str) -> None:
    driver = "first_driver='zoo/car_racing_dream@0123456789abcdef'"
    again = [driver] if experiment.endswith("again") else []
    found = works(f"experiment={experiment}", "tracker=none", *again)
    assert [name for name, work in found.items() if work is None or work.seconds <= 0] == []


@pytest.mark.parametrize(
    ("stage", "twice"),
    [
        ("collect.2", "collect.later.driver.episodes=128"),
        ("vision.1", "vision.steps=6000"),
        ("latents.1_2", "collect.later.driver.episodes=128"),
        ("memory.1", "memory.steps=2400"),
        ("controller.1", "search.generations=80"),
        ("controller.1", "world.horizon=120"),
        ("evaluate", "evaluate.episodes=48"),
        ("baseline", "env.max_frames=2000"),
    ],
)
def test_twice_the_amount_is_twice_the_work(stage: str, twice: str) -> None:
    begin = seconds("agent")
    assert seconds(stage, twice) - begin == pytest.approx(2 * (seconds(stage) - begin))


def test_stages_are_told_apart_that_differ_in_more_than_their_amount() -> None:
    kinds = {name: work.kind for name, work in works(*QUICK).items() if work is not None}
    assert kinds["collect.1"] != kinds["collect.2"] == kinds["collect.3"]
    climbing = works(*QUICK, "search=gradient_steady")["controller.1"]
    awake = works(*QUICK, "world=reality_short", "search=cma_short")["controller.1"]
    assert climbing is not None
    assert awake is not None
    assert len({kinds["controller.1"], climbing.kind, awake.kind}) == 3
    assert (climbing.simulated, awake.simulated) == (False, True)


def test_who_takes_no_steps_is_no_work() -> None:
    assert seconds("memory.1", "memory=none", "world=reality_short", "search=cma_short") == seconds("agent")


def test_a_part_that_says_nothing_known_is_not_judged() -> None:
    found = {node.name: node for node in nodes_of(bind(compose(list(QUICK)), target=EXPERIMENT))}
    for name, part in (("collect.1", "collect"), ("vision.1", "vision"), ("memory.2", "memory"), ("evaluate", "env")):
        node = found[name]
        stranger = Component(target="theirs.Part", arguments={"steps": "many"})
        assert work_of(replace(node, config={**node.config, part: stranger})) is None
