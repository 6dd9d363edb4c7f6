"""Ablations as files: every shipped one runs as it stands, the paper's numbers meet their rows, mistakes are told."""

from itertools import product
from pathlib import Path

import pytest

from tests.engine.config.toy_house import House
from wmframe.cli.overrides import parse
from wmframe.cli.prepare import prepare
from wmframe.engine.config.ablation import Ablation, find_ablation
from wmframe.engine.config.compose import compose, expand
from wmframe.engine.config.shipped import choices
from wmframe.engine.errors import UserError

SHIPPED = choices()["ablation"]
ROWS = {
    "data": 3,
    "dropout": 4,
    "features": 3,
    "horizon": 5,
    "kl_tolerance": 5,
    "latent_size": 4,
    "mixtures": 4,
    "search": 4,
    "senses": 4,
    "temperature": 5,
}
PLACES = ["experiment=toy", "preset=quick", "preset=paper"]
FILE = """
title: Widths
source: "none: a toy"
params: {vision.width: "1,2", seed: 1}
rows: {both: [], blind: [memory=none, controller.senses=z]}
shared: [rounds=2]
when: {preset=smoke: [rounds=3]}
"""


def shipped(name: str) -> Ablation:
    found = find_ablation([f"ablation={name}"])
    assert found is not None
    return found


def test_every_ablation_of_the_issue_is_there() -> None:
    assert sorted(ROWS) == SHIPPED


@pytest.mark.parametrize(("name", "rows"), ROWS.items())
def test_every_ablation_has_its_rows_at_five_seeds(name: str, rows: int) -> None:
    jobs = expand([f"ablation={name}"])
    assert len(jobs) == 5 * rows
    assert len({tuple(o for o in job if not o.startswith("seed=")) for job in jobs}) == rows
    assert len(expand([f"ablation={name}", "seed=7"])) == rows


@pytest.mark.parametrize(("name", "given"), [*product(SHIPPED, PLACES)])
def test_every_row_binds_on_the_toy_and_under_every_preset(name: str, given: str) -> None:
    jobs = prepare(parse(["-m", f"ablation={name}", given, "seed=7"]))
    assert all(job.experiment.arguments["seed"] == 7 for job in jobs)
    assert len({str(job.experiment.plain()) for job in jobs}) == len(jobs) > 2


@pytest.mark.parametrize("name", SHIPPED)
def test_the_papers_numbers_stand_beside_a_row_each_and_name_their_source(name: str) -> None:
    ablation = shipped(name)
    told = {name for job in expand([f"ablation={name}"]) for name in (*job, ablation.row_of(job))}
    assert set(ablation.paper) <= told
    assert all({"mean", "std"} <= numbers.keys() for numbers in ablation.paper.values())
    assert ablation.source.startswith("Ha & Schmidhuber (2018)" if ablation.paper else "none: ")
    assert ablation == Ablation(**ablation.plain())  # type: ignore[arg-type]


def test_rows_are_told_apart_by_their_overrides() -> None:
    ablation = shipped("senses")
    jobs = expand(["ablation=senses", "preset=quick", "seed=0"])
    assert [ablation.row_of(job) for job in jobs] == list(ablation.rows)
    assert all({"world=reality_short", "search=cma_short", "rounds=1"} <= set(job) for job in jobs)


def test_what_is_typed_wins_and_comes_besides(house: House) -> None:
    mine = house.yaml("ablation/widths", FILE)
    jobs = expand(["ablation=widths", "preset=smoke", "vision.width=7", "name=a,b"], conf=house.conf, folders=[mine])
    assert len(jobs) == 4
    assert jobs[0] == ["rounds=3", "seed=1", "preset=smoke", "vision.width=7", "name=a"]
    assert jobs[-1] == ["memory=none", "controller.senses=z", *jobs[0][:-1], "name=b"]


def test_what_is_typed_twice_is_merged_as_without_the_ablation(house: House) -> None:
    mine = house.yaml("ablation/widths", FILE.replace("rounds=3", "'env={action_repeat: 9}'"))
    typed = ["preset=smoke", "env={id:A}", "env={action_repeat:2}"]
    jobs = expand(["ablation=widths", *typed, "seed=7", "vision.width=1"], conf=house.conf, folders=[mine])
    assert jobs[0] == ["rounds=2", *typed, "seed=7", "vision.width=1"]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (["ablation=wdths"], "Did you mean ablation=widths?"),
        (["ablation=widths,data"], "one ablation at a time"),
        (["ablation=widths", "ablation=widths"], "one ablation at a time"),
        (["ablation=widths", "memory=vae"], "ablation=widths varies memory itself"),
        (["ablation=widths", "preset=quick,smoke"], "Run it once with preset=smoke and once with the others"),
        (["ablation=bad"], "Did you mean params?"),
        (["ablation=list"], "is not a mapping"),
        (["ablation=broken"], "not readable as YAML"),
    ],
)
def test_mistakes_are_told(house: House, typed: list[str], expected: str) -> None:
    house.yaml("ablation/bad", "title: a\nsource: b\nparms: {seed: 1}\n")
    house.yaml("ablation/list", "- 1\n")
    house.yaml("ablation/broken", "a: [1\n")
    mine = house.yaml("ablation/widths", FILE)
    with pytest.raises(UserError) as caught:
        expand(typed, conf=house.conf, folders=[mine])
    assert expected in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 10


def test_alone_it_asks_for_a_sweep() -> None:
    with pytest.raises(UserError, match="ablation=temperature is a sweep: add -m"):
        compose(["ablation=temperature"])


def test_a_sweep_without_an_ablation_has_none(tmp_path: Path) -> None:
    assert find_ablation(["seed=1,2"], conf=tmp_path) is None
