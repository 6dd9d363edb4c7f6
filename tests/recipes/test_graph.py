"""The stage graph: what is made of what, round by round."""

import pytest

from wmframe.cli.prepare import EXPERIMENT
from wmframe.engine.config.bind import Component, bind
from wmframe.engine.config.compose import compose
from wmframe.engine.errors import UserError
from wmframe.engine.graph.node import Node
from wmframe.engine.graph.recipe import nodes_of

REFIT = ("later.vision=new", "later.memory=new")


def nodes(*overrides: str) -> dict[str, Node]:
    """The graph of a toy experiment, by name."""
    return {node.name: node for node in nodes_of(bind(compose(["env=toy", *overrides]), target=EXPERIMENT))}


def parents(node: Node) -> dict[str, str]:
    return {role: parent.name for role, parent in node.parents.items()}


def number(node: Node, component: str, argument: str) -> object:
    """An argument of one of the components in a node's key."""
    part = node.config[component]
    assert isinstance(part, Component)
    return part.arguments[argument]


def test_one_round_is_a_straight_line_to_the_score() -> None:
    found = nodes()
    assert list(found) == [
        *("collect.1", "vision.1", "latents.1_1", "memory.1", "controller.1", "agent", "baseline", "evaluate"),
    ]
    assert parents(found["collect.1"]) == {}
    assert parents(found["vision.1"]) == {"collect.1": "collect.1"}


def test_a_later_round_collects_with_the_last_driver_and_goes_on_from_its_weights() -> None:
    found = nodes("rounds=3")
    assert parents(found["collect.3"]) == {"vision": "vision.1", "memory": "memory.2", "controller": "controller.2"}
    assert "vision.2" not in found
    assert parents(found["memory.3"]) == {
        **{f"latents.{n}": f"latents.1_{n}" for n in (1, 2, 3)},
        "memory": "memory.2",
    }
    assert parents(found["controller.3"])["controller"] == "controller.2"
    assert parents(found["agent"]) == {
        **{f"collect.{n}": f"collect.{n}" for n in (1, 2, 3)},
        "vision.3": "vision.1",
        "memory.3": "memory.3",
        "controller.3": "controller.3",
    }
    assert parents(found["evaluate"]) == {"agent": "agent", "baseline": "baseline"}


PINNED = "first_driver='zoo/some@0123456789abcdef'"


def test_the_first_round_may_be_driven_by_an_agent_whose_key_alone_counts() -> None:
    found, named = nodes("collect=driven", PINNED), nodes("collect=driven", PINNED.replace("some", "same"))
    assert found["collect.1"].request.parents == {"agent": "0123456789abcdef"}
    assert "first_driver" not in found, "it is no result of this experiment"
    assert {name: node.key for name, node in found.items()} == {name: node.key for name, node in named.items()}
    other = nodes("collect=driven", PINNED.replace("0123", "4567"))
    unlike = {name for name, node in other.items() if node.key != found[name].key}
    assert unlike == {*found} - {"baseline"}


def test_of_the_first_driver_nothing_else_is_handed_on() -> None:
    found = nodes("collect=driven", PINNED, "rounds=2")
    assert parents(found["vision.1"]) == {"collect.1": "collect.1"}
    assert set(parents(found["memory.1"])) == {"latents.1"}
    assert set(parents(found["controller.1"])) == {"vision", "memory", "latents.1"}
    assert set(parents(found["collect.2"])) == {"vision", "memory", "controller"}


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (("collect=driven",), "collect.first.steady lets a driver drive, and in round 1 there is none"),
        ((PINNED,), "no source of collect.first lets a driver drive. Use collect=driven"),
        (("collect=driven", "first_driver=zoo/some"), "nobody has looked up which agent that is"),
    ],
)
def test_a_first_driver_without_a_source_and_a_source_without_one_are_refused(
    overrides: tuple[str, ...], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        nodes(*overrides)


def test_without_rounds_the_first_drivers_c_goes_on_awake_and_nothing_else_is_made() -> None:
    found = nodes("rounds=0", "finetune=real", PINNED)
    assert list(found) == ["controller.0_awake", "agent", "baseline", "evaluate"]
    assert parents(found["controller.0_awake"]) == {"agent": "first_driver"}
    assert parents(found["agent"]) == {"agent": "first_driver", "controller.0": "controller.0_awake"}
    unused = nodes("rounds=0", "finetune=real", PINNED, "vision.steps=7", "memory.steps=7", "search.generations=7")
    assert {name: node.key for name, node in unused.items()} == {name: node.key for name, node in found.items()}


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (("finetune=real",), "needs a finished agent to go on from: add first_driver=zoo/car_racing_dream"),
        (
            (PINNED,),
            "leave zoo/some@0123456789abcdef nothing to do. Add finetune=real, or .*wmframe evaluate zoo/some$",
        ),
    ],
)
def test_without_rounds_there_must_be_an_agent_and_something_for_it_to_do(
    overrides: tuple[str, ...], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        nodes("rounds=0", *overrides)


def test_an_agent_chosen_awake_is_one_of_all_rounds_each_tried_on_the_same_terms() -> None:
    found = nodes("rounds=2", "select.chosen=awake", "select.episodes=5")
    assert parents(found["select.1"]) == {"vision": "vision.1", "memory": "memory.1", "controller": "controller.1"}
    assert found["select.1"].request.config == found["select.2"].request.config
    assert found["select.1"].request.config["episodes"] == 5
    assert set(parents(found["agent"])) == {
        f"{stage}.{n}" for stage in ("collect", "vision", "memory", "controller", "select") for n in (1, 2)
    }
    longer = nodes("rounds=3", "select.chosen=awake", "select.episodes=5")
    assert longer["select.2"].key == found["select.2"].key, "another round tries no driver twice"
    assert "select.1" not in nodes("rounds=1", "select.chosen=awake")


def test_all_later_rounds_begin_anew_unless_a_list_says_which() -> None:
    assert {"vision.2", "vision.3"} <= set(nodes("rounds=3", *REFIT))
    found = nodes("rounds=4", "later.vision=[keep,new,keep]", "later.memory=[continue,new,continue]")
    assert [name for name in found if name.startswith("vision")] == ["vision.1", "vision.3"]
    assert set(parents(found["vision.3"])) == {"collect.1", "collect.2", "collect.3"}
    assert parents(found["memory.2"])["memory"] == "memory.1"
    assert "memory" not in parents(found["memory.3"])
    assert "controller" not in parents(found["controller.3"])
    assert parents(found["memory.4"])["memory"] == "memory.3"
    assert parents(found["memory.4"])["latents.1"] == "latents.3_1"
    assert parents(found["controller.4"])["controller"] == "controller.3"


def test_a_c_that_starts_over_does_so_whether_or_not_v_and_m_are_new() -> None:
    found = nodes(
        "rounds=4", "later.vision=[keep,new,keep]", "later.memory=[continue,new,continue]", "later.controller=new"
    )
    assert not any("controller" in parents(found[f"controller.{n}"]) for n in (2, 3, 4))


def test_budgets_of_later_rounds_are_for_what_continues() -> None:
    short = ("later.memory_steps=7", "later.generations=3", "memory.steps=70", "search.generations=30")
    found = nodes("rounds=4", "later.vision=[keep,new,keep]", "later.memory=[continue,new,continue]", *short)
    assert [number(found[f"memory.{n}"], "memory", "steps") for n in (1, 2, 3, 4)] == [70, 7, 70, 7]
    assert [number(found[f"controller.{n}"], "search", "generations") for n in (1, 2, 3, 4)] == [30, 3, 30, 3]


def test_a_list_of_budgets_is_dealt_out_to_the_later_rounds() -> None:
    found = nodes("rounds=5", "later.generations=[3,4]", "later.memory_steps=[7]", "search.generations=30")
    assert [number(found[f"controller.{n}"], "search", "generations") for n in range(1, 6)] == [30, 3, 4, 4, 4]
    assert [number(found[f"memory.{n}"], "memory", "steps") for n in (2, 5)] == [7, 7]
    one = nodes("rounds=5", "later.generations=4", "later.memory_steps=7", "search.generations=30")
    assert one["memory.3"].request.config["memory"] == found["memory.3"].request.config["memory"]


def test_a_c_that_continues_may_be_searched_for_closer_by() -> None:
    found = nodes(
        "rounds=5",
        "later.vision=[keep,keep,new,keep]",
        "later.memory=[continue,continue,new,continue]",
        "later.sigma=[0.05,0.02]",
    )
    assert [number(found[f"controller.{n}"], "search", "sigma") for n in range(1, 6)] == [0.1, 0.05, 0.02, 0.1, 0.02]


def test_climbs_are_dealt_out_to_later_rounds_whether_or_not_c_continues() -> None:
    for begins in ("continue", "new"):
        found = nodes("search=gradient", "rounds=4", "later.climbs=[1,5]", f"later.controller={begins}")
        assert [number(found[f"controller.{n}"], "search", "climbs") for n in range(1, 5)] == [1, 1, 5, 5]


def test_the_last_round_has_what_is_said_of_it_however_many_there_are() -> None:
    said = ("last.climbs=8", "last.memory_steps=9", "last.start_pay=0.5")
    base = ("search=gradient", "memory.steps=70", "later.memory_steps=7", "later.climbs=2")
    for rounds in (2, 4):
        found = nodes(f"rounds={rounds}", *base, *said)
        as_before = list(range(2, rounds))
        climbs = [number(found[f"controller.{n}"], "search", "climbs") for n in range(1, rounds + 1)]
        assert climbs == [1, *(2 for _ in as_before), 8]
        steps = [number(found[f"memory.{n}"], "memory", "steps") for n in range(1, rounds + 1)]
        assert steps == [70, *(7 for _ in as_before), 9]
        assert found[f"controller.{rounds}"].config["start_pay"] == 0.5
        assert not any("start_pay" in found[f"controller.{n}"].config for n in (1, *as_before))
    one, alone = nodes("rounds=1", *base, *said), nodes("rounds=1", *base)
    assert one["evaluate"].key == alone["evaluate"].key


def test_in_later_rounds_dreams_may_start_only_where_it_went_well() -> None:
    found = nodes("rounds=3", "later.start_pay=0.5", "last.start_pay=1.5")
    assert [found[f"controller.{n}"].config.get("start_pay") for n in (1, 2, 3)] == [None, 0.5, 1.5]


def test_all_rounds_can_be_tried_for_the_curve_and_the_last_still_is_the_agent() -> None:
    found = nodes("rounds=3", "select.trials=true", "select.episodes=5")
    assert {f"select.{n}" for n in (1, 2, 3)} <= set(parents(found["agent"]))
    assert {name for name in parents(found["agent"]) if name.startswith("controller")} == {"controller.3"}
    chosen = nodes("rounds=3", "select.chosen=awake", "select.episodes=5")
    assert chosen["select.2"].key == found["select.2"].key
    assert "select.1" not in nodes("rounds=1", "select.trials=true")


def test_a_finetuning_goes_on_from_the_last_round_and_is_what_is_scored() -> None:
    found = nodes("rounds=2", "finetune=real", "select.chosen=awake")
    awake = found["controller.2_awake"]
    assert parents(awake) == {"vision": "vision.1", "memory": "memory.2", "controller": "controller.2"}
    assert "env" in awake.request.config
    assert parents(found["select.2"])["controller"] == "controller.2_awake"
    assert parents(found["agent"])["controller.2"] == "controller.2_awake"
    asleep = nodes("rounds=2", "select.chosen=awake")
    assert asleep["controller.2"].key == found["controller.2"].key, "what went before is computed once"


@pytest.mark.parametrize(
    ("overrides", "cure"),
    [
        (["later.vision=new"], "later.memory=new"),
        (
            ["later.vision=[keep,new]", "rounds=3"],
            r"later.vision=new gives latents a new meaning in round 3, which later",
        ),
        (["last.vision=new"], "last.vision=new gives latents a new meaning in round 2, which later.memory=continue"),
        (["last.climbs=[1,2]"], "last.climbs is a list, and last is one round: give it one value, or use later.climbs"),
    ],
)
def test_what_cannot_follow_is_refused_with_the_cure(overrides: list[str], cure: str) -> None:
    with pytest.raises(UserError, match=cure):
        nodes("rounds=2", *overrides)
    assert nodes(*overrides, "rounds=1")


def test_what_a_phase_does_not_say_is_as_in_the_one_before_it() -> None:
    found = nodes("rounds=4", "first.start_pay=0.1", "later.start_pay=[0.2,0.3]", "last.later_share=0.25")
    assert [found[f"controller.{n}"].config["start_pay"] for n in (1, 2, 3, 4)] == [0.1, 0.2, 0.3, 0.3]
    assert [found[f"memory.{n}"].config["later_share"] for n in (1, 2, 3, 4)] == [0.0, 0.5, 0.5, 0.25]


GOES_ON = ("collect=driven", PINNED, "first.vision=keep", "first.memory=continue", "first.controller=continue")


def test_round_1_may_keep_and_continue_an_agent_that_was_there_before() -> None:
    found = nodes(*GOES_ON, "rounds=2", "first.memory_steps=7", "first.generations=3")
    assert "vision.1" not in found
    assert parents(found["vision_of.1"]) == parents(found["memory_of.1"]) == {"agent": "first_driver"}
    assert parents(found["latents.0_1"]) == {"vision": "vision_of.1", "collect": "collect.1"}
    assert parents(found["memory.1"])["memory"] == "memory_of.1"
    assert parents(found["controller.1"])["controller"] == "controller_of.1"
    assert number(found["memory.1"], "memory", "steps") == 7
    assert number(found["controller.1"], "search", "generations") == 3
    assert parents(found["agent"])["vision.2"] == "vision_of.1"
    anew = nodes("collect=driven", PINNED, "rounds=2")
    assert found["collect.1"].key == anew["collect.1"].key
    assert not any(name.startswith(("vision_of", "memory_of", "controller_of")) for name in anew)


@pytest.mark.parametrize("said", ["first.vision=keep", "first.memory=continue", "first.controller=continue"])
def test_round_1_keeps_nothing_of_nobody(said: str) -> None:
    with pytest.raises(
        UserError, match=f"{said}: in round 1 there is nothing yet to .*first_driver=zoo/car_racing_dream"
    ):
        nodes(said)
