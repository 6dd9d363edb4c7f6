"""What trackers call a run: its id and its title."""

import re

from wmframe.cli.prepare import EXPERIMENT
from wmframe.engine.config.bind import bind
from wmframe.engine.config.compose import compose
from wmframe.engine.graph.recipe import nodes_of
from wmframe.engine.runs.runner import Order


def order(*overrides: str, group: str | None = None, job: str = "") -> Order:
    experiment = bind(compose(["env=toy", *overrides]), target=EXPERIMENT)
    return Order(experiment=experiment, overrides=overrides, command="", allowed=("wmframe",), group=group, job=job)


def identity(*overrides: str, group: str | None = None) -> str:
    asked = order(*overrides, group=group)
    return asked.identity(nodes_of(asked.experiment))


def test_the_id_is_that_of_the_experiment_and_its_sweep() -> None:
    plain = identity()
    assert identity("tracker=none", "paths.root=elsewhere", "trainer.threads=3") == plain
    others = [identity("seed=1"), identity("evaluate.episodes=3"), identity(group="a"), identity(group="b")]
    assert len({plain, *others}) == 5


def test_the_id_is_one_that_wandb_takes() -> None:
    found = identity(f"name={'x' * 80}")
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", found)
    assert identity("name=mine").startswith("mine-")


def test_the_title_is_what_was_asked_for_or_what_the_sweep_says() -> None:
    assert (
        order("seed=1", "tracker=none", "paths.root=x", "world.temperature=0.5").title == "seed=1 world.temperature=0.5"
    )
    assert order("tracker=none", "name=mine").title == "mine"
    assert order("seed=1", "world.temperature=0.5", job="seed=1").title == "seed=1"
