import json
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from tests.engine.config.toy_house import EXPERIMENT, MODULE, House
from wmframe.engine.config.bind import Component, ConfigError, bind
from wmframe.engine.config.compose import compose

ALLOWED = ("wmframe", MODULE)


def bound(house: House, *overrides: str) -> Component:
    return bind(compose(overrides, conf=house.conf), target=EXPERIMENT, allowed=ALLOWED)


def complaint(house: House, *overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        bound(house, *overrides)
    assert len(str(caught.value).splitlines()) <= 10
    return str(caught.value)


def part(component: Component, name: str) -> Component:
    found = component.arguments[name]
    assert isinstance(found, Component)
    return found


def test_defaults_are_filled_in_and_values_coerced(house: House) -> None:
    vision = part(bound(house, "vision.width=3"), "vision")
    assert vision.arguments == {"latent_size": 32, "width": 3.0, "kl_floor": 0.5}
    assert type(vision.arguments["width"]) is float


def test_a_default_written_out_or_left_out_is_the_same(house: House) -> None:
    plain = bound(house).plain()
    spelt = (
        "vision.width=1",
        "world.temperature=1.0",
        "env.noise=[]",
        "env.size=[64,64]",
        "world.horizon=null",
    )
    assert bound(house, *spelt).plain() == plain


def test_plain_is_json_and_binds_again(house: House) -> None:
    component = bound(house, "collect.last={_target_: toyhouse.parts.Brownian, episodes: 1}")
    plain = json.loads(json.dumps(component.plain(), allow_nan=False))
    assert plain["_target_"] == EXPERIMENT
    assert bind(plain, allowed=ALLOWED) == component


def test_binding_imports_no_component(house: House) -> None:
    bound(house)
    assert "toyhouse" not in sys.modules


def test_nested_components_in_lists_and_mappings(house: House) -> None:
    spare = "collect.spare=[{_target_: toyhouse.parts.Brownian, episodes: 1}]"
    collect = part(bound(house, spare), "collect")
    assert isinstance(collect.arguments["spare"], list)
    assert isinstance(collect.arguments["policies"], dict)
    assert collect.arguments["spare"][0].arguments == {"episodes": 1, "spread": 0.1}
    assert collect.arguments["policies"]["brownian"].target == "toyhouse.parts.Brownian"


def test_a_function_may_stand_for_the_class_it_returns(house: House) -> None:
    assert part(bound(house, "vision=small"), "vision").target == "toyhouse.parts.small_vae"


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        (
            "vison.latent_size=16",
            "vison.latent_size=16: there is no such key. Did you mean vision.latent_size?",
        ),
        ("vision.latnt_size=16", "Did you mean vision.latent_size?"),
        ("latent_size=32", "Did you mean vision.latent_size, memory.latent_size"),
        ("+vision.latnt_size=32", "Did you mean vision.latent_size?"),
        ("++mixtures=3", "Did you mean memory.mixtures?"),
        ("vision.mixtures=3", "Did you mean memory.mixtures"),
        ("vison=vae", "Did you mean vision?"),
        ("vision._recursive_=false", "vision._recursive_=false: there is no such key"),
        ("vision.latent_size=0", "vision.latent_size=0: must be an integer > 0 (default 32)"),
        ("vision.latent_size=3.5", "must be an integer > 0"),
        ("vision.latent_size=abc", "vision.latent_size=abc: must be an integer > 0"),
        ("vision.latent_size=true", "vision.latent_size=true"),
        ("vision.latent_size=null", "vision.latent_size=null"),
        ("vision.latent_size=", 'vision.latent_size=""'),
        ("vision.latent_size=1e9", "must be an integer"),
        ("vision.kl_floor=11", "must be a number >= 0 and <= 10 (default 0.5)"),
        ("memory.learning_rate=nan", "memory.learning_rate=NaN: must be a number > 0"),
        ("memory.learning_rate=inf", "memory.learning_rate=Infinity"),
        ("memory.dropout=1", "must be a number >= 0 and < 1 (default 0.0)"),
        ("world.horizon=0", "must be an integer > 0, or null (default null)"),
        ("controller.senses=zz", "must be one of z, zh, zhc (default zh)"),
        ("controller.bias=1", "must be true or false (default true)"),
        ("seed=-1", "must be an integer >= 0 and <= 4294967295"),
        ("seed=4294967296", "seed=4294967296"),
        ("seed.x=1", 'seed={"x": 1}'),
        ("name=3", "as text: name='\"3\"'"),
        ("env.noise=[0.1,-1]", "env.noise.1=-1: must be a list, each item a number >= 0"),
        ("env.size=[64]", "must be a list of an integer, an integer"),
        ("env.size=[64,x]", "env.size.1=x"),
        ("trainer.options={a: x}", "trainer.options.a=x: must be a mapping, each value an integer"),
        ("collect.last=3", "collect.last=3: has no `_target_`: a Policy is wanted"),
        ("collect.spare=3", "must be a list of items, each a Policy"),
        ("collect.policies.more.episodes=1", "collect.policies.more has no `_target_`: a Policy is wanted"),
        ("collect.policies.brownian.spred=1", "Did you mean collect.policies.brownian.spread"),
        ("~collect.policies.brownian.episodes", "episodes is missing: an integer >= 0"),
        ("~seed", "seed is missing: an integer >= 0"),
        ("~vision._target_", "vision has no `_target_`: a Vision is wanted"),
        ("vision._target_=os.system", "targets may come from wmframe, toyhouse only"),
        ("vision._target_=toyhouse.parts.Vea", "Did you mean toyhouse.parts.Vae"),
        (
            "vision._target_=toyhouse.parts.Memory",
            "Memory (toyhouse/parts.py) is not a Vision (toyhouse/base.py)",
        ),
        ("collect.policies.brownian._target_=toyhouse.parts.Policy", "Policy is abstract"),
        ("collect.last={_target_: builtins.eval, source: x}", "targets may come from"),
    ],
)
def test_mistakes(house: House, override: str, expected: str) -> None:
    assert expected in complaint(house, override)


def test_the_declaring_file_is_named(house: House) -> None:
    assert "declared by Vae in toyhouse/parts.py" in complaint(house, "vision.latent_size=0")


def test_a_wrong_value_and_its_interpolations_are_one_mistake(house: House) -> None:
    text = complaint(house, "vision.latent_size=0")
    assert "(so has memory.latent_size and 1 more)" in text
    assert len(text.splitlines()) == 2


def test_all_mistakes_are_told_at_once_and_counted_past_ten_lines(house: House) -> None:
    wrong = [
        "vision.latent_size=0",
        "memory.mixtures=abc",
        "world.temperature=-1",
        "rounds=no",
        "foo=1",
        "bar=2",
    ]
    with pytest.raises(ConfigError) as caught:
        bound(house, *wrong)
    lines = str(caught.value).splitlines()
    assert len(lines) <= 10
    assert lines[-1] == "… and 2 more"
    paths = {problem.path for problem in caught.value.problems}
    assert {"vision.latent_size", "memory.mixtures", "world.temperature", "rounds", "foo", "bar"} <= paths


def test_keys_under_a_path_are_named_in_full(house: House) -> None:
    with pytest.raises(ConfigError, match=r"vision\.latent_size=0"):
        bind({"_target_": "toyhouse.parts.Vae", "latent_size": 0}, path="vision", allowed=ALLOWED)


@pytest.mark.parametrize("config", [{}, {"_target_": None}, {"_target_": 3}, {"_target_": ""}])
def test_a_config_without_a_target(config: Mapping[str, Any]) -> None:
    with pytest.raises(ConfigError, match="_target_"):
        bind(config)


def test_control_characters_are_not_sent_to_the_terminal(house: House) -> None:
    with pytest.raises(ConfigError) as caught:
        bind({"_target_": "toyhouse.parts.World", "temperature": "\x1b[31m\n\n\n"}, allowed=ALLOWED)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 2


def test_a_foreign_base_cannot_be_checked_and_is_let_pass(house: House) -> None:
    (house.root / "toyhouse" / "open.py").write_text(
        "from pathlib import PurePath\n\nclass Any_:\n    def __init__(self, *, a: PurePath) -> None: ...\n"
    )
    config = {"_target_": "toyhouse.open.Any_", "a": {"_target_": "toyhouse.parts.World"}}
    assert part(bind(config, allowed=ALLOWED), "a").target == "toyhouse.parts.World"


def test_a_protocol_is_not_looked_for_among_the_bases(house: House) -> None:
    (house.root / "toyhouse" / "open.py").write_text(
        "from typing import Protocol\n\nclass Warm(Protocol):\n    temperature: float\n\n"
        "class Room:\n    def __init__(self, *, a: Warm) -> None: ...\n"
    )
    config = {"_target_": "toyhouse.open.Room", "a": {"_target_": "toyhouse.parts.World"}}
    assert part(bind(config, allowed=ALLOWED), "a").target == "toyhouse.parts.World"
