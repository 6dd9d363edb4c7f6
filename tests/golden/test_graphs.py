"""Every shipped recipe still plans the graph that was recorded: its stages, what is made of what, what each key holds.

Recorded are the experiments under their presets, every file of every group, what rounds can do, the ablations' jobs.
A graph is compared as what it is, a labelled graph without names: nodes' display names, their order and the files that
code lies in may change freely. Names of stages, roles, fields and classes may change by a line in `translation.py`.
Versions of code and the user's own code are not part of it.
"""

import pytest

from tests.golden import files, house
from tests.golden.graphs import Graph, Node, decode, differences, encode
from tests.golden.recipes import ABLATIONS, recipes
from tests.golden.record import all_recipes, planned
from tests.golden.translation import TODAY, Translation


def test_every_recipe_plans_the_graph_that_was_recorded() -> None:
    recorded, now = decode(files.read("graphs.json")), planned()
    assert recorded.keys() == now.keys(), "record anew what was added, before names move"
    told = [
        f"{recipe}: {line}"
        for recipe, graph in now.items()
        for line in differences(TODAY.recorded(recorded[recipe]), TODAY.planned(graph))
    ]
    assert not told, "\n".join([f"{len(told)} differences", *told[:40]])


def test_every_shipped_file_is_in_some_recipe() -> None:
    typed = {word for recipe in recipes().values() for word in recipe.words} | {*ABLATIONS.values()}
    shipped = {f"{group}={option}" for group, options in house.options().items() for option in options}
    shipped.discard("recipe=world_models")  # which all of them are jobs of
    assert shipped <= typed


def test_what_is_left_out_of_keys_is_in_no_graph() -> None:
    """A machine, a name, folders and a tracker of one's own plan the very same."""
    graphs = dict(house.graphs({name: recipe.words for name, recipe in all_recipes().items() if name in SAME}))
    assert differences(*graphs.values()) == []


SAME = {"two small rounds", "rounds: a machine of its own"}

OLD: Graph = {
    "collect.1": Node("collect", {"env.speed": 0.1, "collect.later": {}, "seed": 0}, {}),
    "vision.1": Node("vision", {"vision._target_": "house.vision.VAE", "vision.size": 4}, {"collect": ("collect.1",)}),
    "collect.2": Node("collect", {"env.speed": 0.1, "seed": 0, "chosen": "awake"}, {"vision": ("vision.1",)}),
    "memory.2": Node("memory", {"share": 0.5}, {"latents": ("collect.1", "collect.2"), "memory": ("vision.1",)}),
}
NEW: Graph = {
    "first": Node("gather", {"env.velocity": 0.1, "seed": 0}, {}),
    "V": Node("fit", {"vision._target_": "science.vision.VAE", "vision.size": 4, "seed": 0}, {"episodes": ("first",)}),
    "second": Node("gather", {"env.velocity": 0.1, "seed": 0, "chosen": "real"}, {"vision": ("V",)}),
    "M": Node("fit_memory", {"recent": 0.5}, {"latents": ("first", "second"), "start": ("V",)}),
}
TABLE = Translation(
    stages={"collect": "gather", "vision": "fit", "memory": "fit_memory"},
    roles={"*.collect": "episodes", "memory.memory": "start"},
    fields={"*.env.speed": "env.velocity", "memory.share": "recent"},
    targets={"house": "science"},
    values={"collect.chosen": {"awake": "real"}},
    gone=frozenset({"collect.collect"}),
    new=frozenset({"fit.seed"}),
)


def test_a_graph_whose_every_name_moved_is_the_same_by_the_table() -> None:
    assert differences(TABLE.recorded(OLD), TABLE.planned(NEW)) == []
    assert differences(OLD, NEW)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"V": Node("fit", {**NEW["V"].fields, "vision.size": 5}, NEW["V"].parents)}, "vision.size: 4 → 5"),
        ({"V": Node("fit", {**NEW["V"].fields, "vision.size": 4.0}, NEW["V"].parents)}, "vision.size: 4 → 4.0"),
        ({"V": Node("fit", {**NEW["V"].fields, "more": 1}, NEW["V"].parents)}, "more: (absent) → 1"),
        (
            {"M": Node("fit_memory", {"recent": 0.5}, {"latents": ("second", "first"), "start": ("V",)})},
            "parents as latents: collect.1 collect.2 → second first",
        ),
        (
            {"M": Node("fit_memory", {"recent": 0.5}, {"latents": ("first", "second")})},
            "parents as start: vision.1 → none",
        ),
        ({"M": Node("other", {"recent": 0.5}, NEW["M"].parents)}, "memory.2 is gone: stage fit_memory"),
        ({"C": Node("search", {"sigma": 1}, {"memory": ("M",)})}, "C was not there: stage search"),
        ({"twice": NEW["M"]}, "a node is there twice"),
    ],
)
def test_whatever_else_changes_is_told_where_it_begins(changed: Graph, said: str) -> None:
    told = differences(TABLE.recorded(OLD), TABLE.planned({**NEW, **changed}))
    assert said in "\n".join(told)
    assert len(told) <= 2


def test_graphs_are_recorded_without_loss() -> None:
    graphs = {"old": OLD, "like it": {**OLD, "vision.1": Node("vision", {"seed": 1}, {"collect": ("collect.1",)})}}
    graphs["less"] = {name: node for name, node in OLD.items() if name != "memory.2"}
    assert decode(encode(graphs, {"like it": "old", "less": "old"})) == graphs
