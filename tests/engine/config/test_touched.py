"""What a sweep may not decide twice, and that a job of `-m` is what the same words are without it."""

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.engine.config.toy_house import EXPERIMENT, House
from wmframe.cli.overrides import parse
from wmframe.cli.prepare import prepare
from wmframe.engine.config.compose import compose, composing, expand
from wmframe.engine.config.touched import as_composed
from wmframe.engine.errors import UserError

FEW = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)

WORDS = (
    *("seed=1", "seed=2", "++seed=3", "+seed=4", "rounds=2", "name=a", "name='a, b'", 'name="x=1,2"', r"name=a\ b"),
    *(
        "vision=small",
        "vision=vae",
        "env=car_racing",
        "env=toy",
        "preset=smoke",
        "preset=null",
        "experiment=car_racing",
    ),
    *("env={id:A}", "env={action_repeat:2}", "env={noise:[0.5,1]}", "env.noise=[]", "+env={size:[8,8]}", "env.id=B"),
    *(
        "trainer.options={a:1}",
        "trainer.options={b:2}",
        "trainer.options.a=3",
        "+trainer.options.c=4",
        "~trainer.options",
    ),
    *("collect.policies={b:{_target_:toyhouse.parts.Brownian,episodes:1}}", "~collect.policies.brownian"),
    *("++vision.width=2", "+vision.width=3", "vision.width=4", "~vision.width", "~experiment", "~memory.mixtures"),
    *("world.horizon=null", "controller.bias=false", "search.sigma=1e-3", "memory.mixtures=${rounds}"),
)

RAW = st.text(alphabet="ab1 ,=:[]{}()\\'\"~+$é\t", max_size=6)
SCALARS = st.one_of(
    st.sampled_from(
        ["1", "-2", "01", "0.5", "1e-3", "1_000", "true", "null", "NULL", "a", "a b", r"a\,b", r"\ a", "x-1", "''"]
    ),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    RAW.map(lambda raw: f"'{raw}'"),
    RAW.map(lambda raw: f'"{raw}"'),
    RAW,
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]"),
        st.dictionaries(st.sampled_from(["a", "b", "'c d'", "1"]), inner, max_size=2).map(
            lambda items: f"{{{', '.join(f'{name}: {item}' for name, item in items.items())}}}"
        ),
    ),
    max_leaves=4,
)


@FEW
@given(st.lists(st.sampled_from(WORDS), max_size=6))
def test_one_job_of_a_multirun_is_what_the_same_words_are_alone(house: House, words: list[str]) -> None:
    alone, job = (outcome(house, [*flags, *words]) for flags in ([], ["-m"]))
    assert job == alone


def outcome(house: House, arguments: Sequence[str]) -> object:
    """What the words compose and bind, or the mistake that they are, without the number that a sweep gives it."""
    try:
        [job] = prepare(parse(["--allow", "toyhouse", *arguments]), conf=house.conf, target=EXPERIMENT)
    except UserError as error:
        return str(error).removeprefix("job 1 (): ")
    return job.config, job.experiment, job.overrides


@FEW
@given(VALUES)
def test_a_value_that_is_swept_over_is_the_value_that_it_is_alone(house: House, value: str) -> None:
    assume(value.strip())  # nothing is an empty string alone, and no value of several
    with composing(conf=house.conf) as one:
        try:
            alone = one([f"trainer.options={value}"])
        except UserError:
            assume(False)  # no value
    jobs = expand([f"trainer.options={value},{value}"], conf=house.conf)
    with composing(conf=house.conf) as one:
        assert [one(job) for job in jobs] == [alone, alone]


@FEW
@given(st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=1, max_size=3, unique=True), st.data())
def test_every_combination_of_dictionaries_is_a_job_and_merges_as_without_m(
    house: House, names: list[str], data: st.DataObject
) -> None:
    counts = [data.draw(st.integers(1, 3)) for _ in names]
    choices = [
        [f"trainer.options={{{name}:{n}}}" for n in range(count)] for name, count in zip(names, counts, strict=True)
    ]
    typed = [f"trainer.options={','.join(one.partition('=')[2] for one in axis)}" for axis in choices]
    jobs = expand(typed, conf=house.conf)
    with composing(conf=house.conf) as one:
        assert [one(job) for job in jobs] == [one(words) for words in itertools.product(*choices)]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("seed=1,2 ++seed=7", "++seed=7 sets seed too"),
        ("seed=1,2 seed=7", "To sweep over seed leave out seed=7"),
        ("seed=7 seed=1,2", "for one value in all jobs type seed=VALUE"),
        ("+seed=7 seed=1,2", "+seed=7 sets seed too"),
        ("seed=range(1,3) ~seed", "~seed sets seed too"),
        ("seed=1,2 seed=3,4", "Type all its values at once: seed=1,2,3,4"),
        ("seed=range(1,3) seed=3,4", "Type all its values at once: seed=A,B,C"),
        ("vision=vae,small vision=vae", "To sweep over vision leave out vision=vae"),
        ("vision=glob(*) vision=vae", "vision=vae sets vision too"),
        ("experiment=car_racing,null ~experiment", "~experiment sets experiment too"),
        ("trainer.options={a:1},{a:2} trainer.options={a:3}", "sets trainer.options.a too"),
        ("trainer.options={a:1},{a:2} trainer.options.a=3", "sets trainer.options.a too"),
        ("trainer.options=null,{a:2} trainer.options.a=3", "sets trainer.options too"),
        ("seed=interval(1,9) seed=7 hydra/sweeper=nevergrad", "sets seed too"),
    ],
)
def test_a_key_is_swept_over_or_set_and_not_both(house: House, typed: str, expected: str) -> None:
    with pytest.raises(UserError) as caught:
        prepare(parse(["--allow", "toyhouse", "-m", *typed.split()]), conf=house.conf, target=EXPERIMENT)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("typed", "jobs"),
    [
        ("vision=vae,small vision.latent_size=8", 2),
        ("preset=quick,smoke world.temperature=8", 2),
        ("vision={width:1},{width:2} vision=vae", 2),
        ("trainer.options={a:1},{a:2} trainer.options={b:3}", 2),
        ("trainer.options={a:1},{a:2} trainer.options={b:1},{b:2}", 4),
        ("trainer.options={a:1},{a:2} trainer.options.b=1,2", 4),
        ("name=a name=b seed=1,2", 2),
    ],
)
def test_what_only_looks_like_both_is_swept_over(house: House, typed: str, jobs: int) -> None:
    found = prepare(parse(["--allow", "toyhouse", "-m", *typed.split()]), conf=house.conf, target=EXPERIMENT)
    assert len({str(job.config) for job in found}) == len(found) == jobs


def test_the_rows_of_an_ablation_are_decided_once(house: House) -> None:
    mine = house.yaml("ablation/senses", 'title: a\nsource: "none"\nrows: {all: [], z: [controller.senses=z]}\n')
    with pytest.raises(UserError, match=r"the rows of the ablation vary controller\.senses \(controller\.senses=z\)"):
        expand(["ablation=senses", "++controller={bias: false, senses: zh}"], conf=house.conf, folders=[mine])
    assert len(expand(["ablation=senses", "controller.bias=false"], conf=house.conf, folders=[mine])) == 2


def test_words_say_what_was_composed(house: House) -> None:
    typed = ["seed=1", "++seed=7", "world.temperature=1", "name=n", "vision=small", "env={id: A}", "env={noise: [1]}"]
    typed += ["~experiment", "memory.mixtures=${rounds}"]
    said = ["seed=7", "world.temperature=1", "name=n", "vision=small", "env.id=A", "env.noise=[1]", "~experiment"]
    assert as_composed(typed, compose(typed, conf=house.conf)) == [*said, "memory.mixtures=1"]
    unread = ["a b=[", "seed=1,2", "env={}", "+x=1", "trainer.options={a: z}"]
    assert as_composed(unread, {}) == ["a b=[", "seed=1,2", "env={}", "x=1", "trainer.options.a=z"]
