"""Stages and handles: a traced recipe is a graph, and nobody can look at what is not there yet."""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from wmframe.engine.config.component import Component
from wmframe.engine.errors import UserError
from wmframe.engine.graph.node import Node
from wmframe.engine.graph.stage import Handle, declaration, existing, phase, stage, trace

Many = Sequence[Handle] | Mapping[int, Handle]


@stage(version=1, run="nowhere.numbers:run")
def numbers(*, seed: int, amount: int = 3) -> Handle:
    raise NotImplementedError


@stage(version=2, run="nowhere.total:run", roles={"parts": "numbers", "start": "total"}, publishes="sum")
def total(*, parts: Many, weight: float = 1.0, start: Handle | None = None) -> Handle:
    raise NotImplementedError


def traced(recipe: Callable[[], Any]) -> list[Node]:
    return trace(recipe, allowed=("wmframe",))


def test_a_recipe_is_the_graph_of_what_it_calls_parents_first_and_the_result_last() -> None:
    def recipe() -> Handle:
        made = [numbers(seed=1), numbers(seed=2)]
        return total(parts=made, start=total(parts=made[:1]))

    found = traced(recipe)
    assert [node.stage.name for node in found] == ["numbers", "numbers", "total", "total"]
    assert {role: parent.name for role, parent in found[-1].parents.items()} == {
        "numbers.1": "numbers",
        "numbers.2": "numbers_2",
        "total": "total",
    }
    assert found[-1].stage.publishes == "sum"


def test_equal_calls_are_one_node_and_an_argument_at_its_default_is_in_no_key() -> None:
    def recipe() -> Handle:
        return total(parts=[numbers(seed=1), numbers(seed=1, amount=3)])

    first, last = traced(recipe)
    assert [parent.key for parent in last.parents.values()] == [first.key, first.key]
    assert first.config == {"seed": 1}
    assert last.config == {}


def test_a_mapping_of_parents_keeps_its_keys_as_roles_and_a_list_its_order() -> None:
    def keyed(order: Sequence[int]) -> list[Node]:
        return traced(lambda: total(parts={n: numbers(seed=n) for n in order}))

    assert set(keyed([7, 3])[-1].parents) == {"numbers.7", "numbers.3"}
    assert keyed([7, 3])[-1].key == keyed([3, 7])[-1].key

    def listed(order: Sequence[int]) -> str:
        return traced(lambda: total(parts=[numbers(seed=n) for n in order]))[-1].key

    assert listed([7, 3]) != listed([3, 7])


def test_phases_name_nodes_and_stand_in_no_key() -> None:
    def recipe(label: str) -> Callable[[], Handle]:
        def labelled() -> Handle:
            with phase(label):
                return total(parts=[numbers(seed=1), numbers(seed=2)])

        return labelled

    one, other = traced(recipe("1")), traced(recipe("2"))
    assert [node.name for node in one] == ["numbers.1", "numbers.1_2", "total.1"]
    assert [node.key for node in one] == [node.key for node in other]


def test_what_nothing_returned_is_made_of_is_not_computed() -> None:
    def recipe() -> Handle:
        numbers(seed=9)
        return numbers(seed=1)

    assert [node.config for node in traced(recipe)] == [{"seed": 1}]


def test_a_result_that_is_there_already_is_a_parent_and_no_node_to_compute() -> None:
    def recipe(key: str, name: str) -> Callable[[], Handle]:
        return lambda: total(parts=[existing(total, name=name, key=key, origin="elsewhere", code=(), fetch="")])

    [node] = traced(recipe("0" * 16, "before"))
    [parent] = node.parents.values()
    assert (parent.name, parent.key, parent.origin) == ("before", "0" * 16, "elsewhere")
    assert parent.stage == declaration(total)
    assert node.key == traced(recipe("0" * 16, "another name"))[0].key
    assert node.key != traced(recipe("1" * 16, "before"))[0].key


LOOKS: list[Callable[[Handle], object]] = [
    bool,
    iter,
    len,
    str,
    int,
    float,
    hash,
    operator.not_,
    lambda handle: handle == handle,  # noqa: PLR0124
    lambda handle: handle < 3,
    lambda handle: f"{handle}",
    lambda handle: "a" in handle,
    lambda handle: handle[0],
    lambda handle: handle + 1,
    lambda handle: {handle: 1},
]


@pytest.mark.parametrize("look", LOOKS)
def test_nothing_can_be_asked_of_a_result_that_is_not_there(look: Callable[[Handle], object]) -> None:
    def recipe() -> Handle:
        made = numbers(seed=1)
        look(made)
        return made

    with pytest.raises(TypeError, match=r"<Handle numbers> is a result to be.* let the stage look at it"):
        traced(recipe)


def test_a_stage_outside_of_a_recipe_says_where_it_belongs() -> None:
    with pytest.raises(UserError, match="outside of a recipe"):
        numbers(seed=1)


def test_a_recipe_returns_a_result() -> None:
    with pytest.raises(TypeError, match="returns the handle of its last result, not None"):
        traced(lambda: None)


def test_a_stage_refuses_arguments_that_it_does_not_declare() -> None:
    with pytest.raises(TypeError, match="amont"):
        traced(lambda: numbers(seed=1, amont=4))  # type: ignore[call-arg]


@stage(version=1, run="nowhere.climb:run", length=["search.generations", "updates"])
def climb(*, search: Component, updates: int = 0) -> Handle:
    raise NotImplementedError


@pytest.mark.parametrize(
    ("arguments", "updates", "length"),
    [
        ({"generations": 20}, 0, (20, "generations")),
        ({"sigma": 0.1}, 8, (8, "updates")),
        ({"generations": 20}, 8, (20, "generations")),
        ({"generations": "many"}, 0, (None, "steps")),
    ],
)
def test_how_long_a_stage_is_stands_in_the_first_field_that_says_so(
    arguments: Mapping[str, object], updates: int, length: tuple[int | None, str]
) -> None:
    search = Component(target="theirs.Search", arguments=arguments)
    [node] = traced(lambda: climb(search=search, updates=updates))
    assert node.length == length
    assert traced(lambda: numbers(seed=1))[0].length == (None, "steps")
