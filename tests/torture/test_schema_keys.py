"""Every field of the schema changes the key of the right stages, or stands on the list of those that change none.

Nothing is listed by hand but what a field is expected to change: a field that somebody adds is found, and has to behave
as its group does or be written down here.
"""

from collections.abc import Iterator
from typing import Final

import pytest

from tests.torture.conftest import Figure
from tests.torture.schema import edited, leaves
from wmframe.cli.prepare import EXPERIMENT
from wmframe.engine.config.bind import Component, bind
from wmframe.engine.config.compose import compose
from wmframe.engine.config.shipped import choices
from wmframe.engine.graph.node import Node
from wmframe.engine.graph.recipe import nodes_of
from wmframe.engine.store.keys import keyed

LATER: Final = {"collect.2", "latents.1_2", "memory.2", "controller.2"}
STAGES: Final = (
    *("collect.1", "collect.2", "vision.1", "memory.1", "memory.2", "controller.1", "controller.2"),
    *("baseline", "evaluate"),
)

CHANGES: Final[dict[str, set[str]]] = {
    "env": {"collect.1", "collect.2", "baseline", "evaluate"},
    "env.actions": {"collect.1", "collect.2", "controller.1", "controller.2", "baseline", "evaluate"},
    "env.frame_shape": {"collect.1", "collect.2", "vision.1", "baseline", "evaluate"},
    "collect.first": {"collect.1"},
    "collect.later": {"collect.2"},
    "vision": {"vision.1"},
    "memory": {"memory.1", "memory.2"},
    "controller": {"controller.1", "controller.2"},
    "world": {"controller.1", "controller.2", "collect.2", "evaluate"},
    "search": {"controller.1", "controller.2"},
    "evaluate": {"baseline", "evaluate"},
    "seed": {"collect.1", "collect.2", "vision.1", "memory.1", "memory.2", "controller.1", "controller.2"},
    "trainer.precision": {"vision.1", "memory.1", "memory.2"},
    "later.later_share": {"memory.2", "controller.2"},
    "later.recency": {"memory.2", "controller.2"},
    "later.memory_steps": {"memory.2"},
    "later.generations": {"controller.2"},
    "later.sigma": {"controller.2"},
    "later.start_pay": {"controller.2"},
    "last.memory_steps": {"memory.2"},
    "last.generations": {"controller.2"},
    "last.sigma": {"controller.2"},
    "last.start_pay": {"controller.2"},
    "last.later_share": {"memory.2", "controller.2"},
    "last.recency": {"memory.2", "controller.2"},
    "first.memory_steps": {"memory.2"},
    "first.generations": {"controller.2"},
    "first.sigma": {"controller.2"},
    "first.start_pay": {"controller.1", "controller.2"},
    "finetune": {"controller.2_awake"},
}
"""The nodes of two rounds in whose own part of the config a field stands; searched awake, C has `env` there too."""

SAID_BY_ENV: Final = {"vision.frame_shape"}
"""Fields that take no other value than the environment's."""

OTHER_GRAPH: Final = {
    *(f"{phase}.{part}" for phase in ("first", "later", "last") for part in ("vision", "memory", "controller")),
    *("rounds", "select.chosen", "select.trials", "first_driver"),
}
"""Fields that make other nodes, or give them other parents."""

CHANGES_NOTHING: Final = {
    *("name", "paths.root"),
    *("trainer.accelerator", "trainer.threads", "trainer.workers", "trainer.save_seconds"),
    *("tracker.mode", "tracker.project", "tracker.entity", "tracker.group"),
    *(  # while a population searches for C
        f"{phase}.{name}" for phase in ("first", "later", "last") for name in ("updates", "learning_rate", "climbs")
    ),
    *("first.later_share", "first.recency"),  # while `later` says its own
    "select.episodes",  # while the last round's driver is the agent, none is tried
}
"""All the exceptions: what can change no result."""

_ROUNDS: Final = ("rounds=2", "later.later_share=0.4", "later.recency=0.9")
"""Two rounds, whose shares are no value that a phase is edited to."""


_NEEDS: Final = {"collect=driven": ("first_driver='zoo/some@0123456789abcdef'",)}
"""What an option does not go without."""


def _options() -> Iterator[tuple[str, ...]]:
    """One experiment for every option of every group."""
    yield ()
    for group, options in choices().items():
        for option in options:
            if group not in {"ablation", "experiment", "preset"}:
                yield (f"{group}={option}", *_NEEDS.get(f"{group}={option}", ()))


def bound(*overrides: str) -> Component:
    return bind(compose([*_ROUNDS, *overrides]), target=EXPERIMENT)


def by_name(experiment: Component) -> dict[str, Node]:
    return {node.name: node for node in nodes_of(experiment)}


def own(nodes: dict[str, Node]) -> dict[str, object]:
    """Every node's part of the config, as its key sees it."""
    return {name: keyed(node.request.config) for name, node in nodes.items()}


def below(nodes: dict[str, Node], changed: set[str]) -> set[str]:
    """These nodes and all that are made of them."""
    found = set(changed)
    for name, node in nodes.items():  # parents stand before children
        if found & {parent.name for parent in node.parents.values()}:
            found.add(name)
    return found


def expected(key: str, awake: bool) -> set[str]:
    parts = key.split(".")
    prefixes = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    found = next((CHANGES[prefix] for prefix in prefixes if prefix in CHANGES), set[str]())
    return found | ({"controller.1", "controller.2"} if awake and parts[0] == "env" else set())


def test_every_field_of_every_group_changes_the_keys_that_it_should(figure: Figure) -> None:
    seen: set[str] = set()
    stuck: set[str] = set()
    for overrides in _options():
        experiment = bound(*overrides)
        nodes = by_name(experiment)
        before = own(nodes)
        awake = any(option.startswith("world=reality") for option in overrides)
        groups = {option.split("=")[0] for option in overrides}
        for leaf in leaves(experiment):
            if groups and not {leaf.path[0], "world"} & groups:
                continue  # said of the default options already
            change = edited(experiment, leaf)
            target = experiment.part(leaf.path[0]).target if len(leaf.path) > 1 else ""
            if change is None:
                stuck.add(f"{leaf.key} of {target}")
                continue
            seen.add(f"{leaf.key} of {target}")
            if leaf.key in OTHER_GRAPH | SAID_BY_ENV:
                continue
            after = by_name(change[1])
            told = (leaf.key, change[0], overrides)
            differing = {name for name, part in own(after).items() if part != before[name]}
            assert differing == expected(leaf.key, awake), told
            keys = {name for name, node in after.items() if node.key != nodes[name].key}
            assert keys == below(nodes, differing), told
            assert (leaf.key in CHANGES_NOTHING) == (keys == set()), told
    assert len(seen) > 100
    assert stuck <= TAKES_NO_OTHER, stuck - TAKES_NO_OTHER
    for name in (*CHANGES_NOTHING, *OTHER_GRAPH, *SAID_BY_ENV):
        assert any(field.startswith(f"{name} of") for field in seen | stuck), f"{name} is a field no more"
    figure("fields of the schema whose keys were compared", len(seen))


TAKES_NO_OTHER: Final = {
    *(f"env.{name} of wmframe.envs.car_racing.CarRacing" for name in ("action_size", "actions", "frame_shape")),
    *(f"env.{name} of wmframe.envs.toy.Toy" for name in ("action_size", "actions", "frame_shape")),
    "memory.hidden_size of wmframe.memory.none.NoMemory",
    "collect.first.evolving.memory.hidden_size of wmframe.collect.collection.Collection",
    "collect.first.networks.memory.hidden_size of wmframe.collect.collection.Collection",
    "finetune of ",  # null, or another graph: test_graph.py
}
"""Fields whose signature allows one value only."""


@pytest.mark.parametrize(
    ("overrides", "other"),
    [
        (["rounds=3"], {"collect.3", "latents.1_3", "memory.3", "controller.3", "agent", "evaluate"}),
        (
            ["later.memory=new"],
            {"memory.2", "controller.2", "agent", "evaluate"},
        ),
        (["later.controller=new"], {"controller.2", "agent", "evaluate"}),
        (
            ["later.vision=new", "later.memory=new"],
            {"vision.2", "latents.2_1", "latents.2_2", "memory.2", "controller.2", "agent", "evaluate"},
        ),
        (
            ["select.chosen=awake"],
            {"select.1", "select.2", "agent", "evaluate"},
        ),
        (["select.trials=true"], {"select.1", "select.2", "agent", "evaluate"}),
    ],
)
def test_fields_that_make_another_graph_leave_what_they_cannot_change(overrides: list[str], other: set[str]) -> None:
    nodes, after = by_name(bound()), by_name(bound(*overrides))
    assert {name for name, node in after.items() if name not in nodes or nodes[name].key != node.key} == other


def test_each_kind_of_search_takes_its_own_budget_in_later_rounds() -> None:
    below_c = {"controller.2", "agent", "evaluate"}
    for search, its in (("cma", ("generations", "sigma")), ("gradient", ("updates", "learning_rate"))):
        nodes = by_name(bound("rounds=2", f"search={search}"))
        for budget in ("generations", "sigma", "updates", "learning_rate"):
            after = by_name(bound("rounds=2", f"search={search}", f"later.{budget}=3"))
            differing = {name for name, node in after.items() if nodes[name].key != node.key}
            assert differing == (below_c if budget in its else set()), (search, budget)


def test_a_list_says_in_which_rounds_what_is_new() -> None:
    nodes, after = (
        by_name(bound("rounds=3", "later.memory=new")),
        by_name(bound("rounds=3", "later.memory=[new,continue]")),
    )
    assert {name for name, node in after.items() if nodes[name].key != node.key} == {
        "memory.3",
        "controller.3",
        "agent",
        "evaluate",
    }
