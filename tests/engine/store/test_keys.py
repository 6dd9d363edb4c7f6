import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wmframe.engine.errors import UserError
from wmframe.engine.store.keys import NOT_IN_KEY, difference, excluded, key, keyed

CONFIG: dict[str, Any] = {
    "memory": {
        "_target_": "wmframe.memory.mdnrnn.MDNRNN",
        "mixtures": 5,
        "dropout": 0.0,
        "heads": [{"weight": 1.0}],
    },
    "trainer": {"steps": 100, "device": "cpu", "workers": 2},
    "seed": 0,
}
PARENTS = {"vision": "0" * 16, "latents": "1" * 16}


def edited(path: str, value: Any) -> dict[str, Any]:
    config = copy.deepcopy(CONFIG)
    *parents, leaf = path.split(".")
    inner = config
    for name in parents:
        inner = inner.setdefault(name, {})
    inner[leaf] = value
    return config


def of(config: dict[str, Any]) -> str:
    return key("memory", 1, config, PARENTS)


def test_a_key_is_16_hex_digits_and_stays_the_same_for_ever() -> None:
    assert of(CONFIG) == GOLDEN
    assert len(GOLDEN) == 16
    assert set(GOLDEN) <= set("0123456789abcdef")


def test_order_and_tuples_mean_nothing() -> None:
    backwards = {
        name: dict(reversed(value.items())) if isinstance(value, dict) else value for name, value in CONFIG.items()
    }
    backwards["memory"]["heads"] = ({"weight": 1.0},)
    assert key("memory", 1, dict(reversed(backwards.items())), dict(reversed(PARENTS.items()))) == of(CONFIG)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("memory.mixtures", 6),
        ("memory.dropout", 1e-9),
        ("memory.heads", []),
        ("memory._target_", "x.Y"),
        ("memory.new", None),
        ("trainer.steps", True),
        ("trainer.steps", "100"),
        ("seed", 1),
        ("seed", None),
    ],
)
def test_whatever_can_change_a_result_changes_the_key(path: str, value: Any) -> None:
    assert of(edited(path, value)) != of(CONFIG)
    assert any(line.startswith(path) for line in difference(CONFIG, edited(path, value)))


def test_stage_version_and_parents_change_the_key() -> None:
    others = [
        key("vision", 1, CONFIG, PARENTS),
        key("memory", 2, CONFIG, PARENTS),
        key("memory", 1, CONFIG, {**PARENTS, "vision": "2" * 16}),
        key("memory", 1, CONFIG, {"latents": PARENTS["vision"], "vision": PARENTS["latents"]}),
        key("memory", 1, CONFIG, {}),
    ]
    assert len({of(CONFIG), *others}) == len(others) + 1


@pytest.mark.parametrize("pattern", NOT_IN_KEY)
def test_what_is_left_out_changes_nothing(pattern: str) -> None:
    anywhere = pattern.startswith("**.")
    name = pattern.removeprefix("**.")
    deep = f"memory.{name}"
    assert of(edited(name, "/anything")) == of(CONFIG)
    assert difference(edited(name, 1), edited(name, 2)) == []
    assert (of(edited(deep, 3)) == of(CONFIG)) is anywhere
    assert excluded((name,))
    assert excluded(("memory", name)) is anywhere


def test_the_list_is_short() -> None:
    assert len(NOT_IN_KEY) == len(set(NOT_IN_KEY)) <= 16


def test_zero_has_one_sign() -> None:
    assert of(edited("memory.dropout", -0.0)) == of(edited("memory.dropout", 0.0))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match=r"memory\.dropout"):
        of(edited("memory.dropout", value))


@pytest.mark.parametrize("value", [Path("a"), {1, 2}, object(), b"x"])
def test_only_plain_data_has_a_key(value: object) -> None:
    with pytest.raises(TypeError, match=r"memory\.dropout"):
        of(edited("memory.dropout", value))
    with pytest.raises(TypeError, match=r"memory\.1"):
        of({"memory": {1: "a"}})


@pytest.mark.parametrize("value", ["/home/someone/frames", "C:\\frames"])
def test_an_absolute_path_is_refused_where_it_would_enter_a_key(value: str) -> None:
    with pytest.raises(UserError, match=r"collect\.folder"):
        of(edited("collect.folder", value))
    assert of(edited("paths", {"root": value})) == of(CONFIG)


def test_difference_reads_like_a_sentence() -> None:
    new = edited("memory.mixtures", 1)
    new["memory"]["_target_"] = "other.Memory"
    del new["memory"]["dropout"]
    new["memory"]["note"] = "two words\x1b[31m"
    new["memory"]["heads"] = [{"weight": 2.0}, {"weight": 1.0}]
    assert difference(CONFIG, new) == [
        "memory._target_: wmframe.memory.mdnrnn.MDNRNN → other.Memory",
        "memory.dropout: 0.0 → (absent)",
        "memory.heads.0.weight: 1.0 → 2.0",
        "memory.heads.1.weight: (absent) → 1.0",
        "memory.mixtures: 5 → 1",
        'memory.note: (absent) → "two words\\u001b[31m"',
    ]
    assert difference({"a": "null"}, {"a": None}) == ['a: "null" → null']


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("ab5.", max_size=4)
)
CONFIGS = st.dictionaries(
    st.text("abcdefg", min_size=1, max_size=3),
    st.recursive(
        LEAVES,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3),
    ),
    max_size=4,
)


@given(CONFIGS, CONFIGS)
def test_keys_are_equal_exactly_when_nothing_differs(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert (key("a", 1, old, {}) == key("a", 1, new, {})) == (difference(old, new) == [])
    assert keyed(keyed(old)) == keyed(old)


GOLDEN = "d618f5b7ed243fbf"
