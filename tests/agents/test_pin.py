"""The agent that drives in round 1: what a name is pinned to, and how it comes into the project."""

from pathlib import Path

import pytest

from tests.engine.runs.toy_run import toy_run
from wmframe.agents.agent import agent_artefact
from wmframe.agents.pin import fetch, pin
from wmframe.agents.zoo import shipped_agent
from wmframe.engine.errors import UserError
from wmframe.engine.store.store import Store

STALE = "0123456789abcdef"


def fetched(pinned: str, root: Path) -> Path:
    return fetch(pinned, Store(root / "artefacts")).path


def test_a_name_is_pinned_to_the_agent_that_it_means_now(tmp_path: Path) -> None:
    run = toy_run(tmp_path)
    key = agent_artefact(run).key
    assert pin(run.name, tmp_path) == f"{run.name}@{key}"
    assert pin("latest", tmp_path) == f"{run.name}@{key}", "the latest will be another"
    assert pin(str(run.folder), tmp_path / "elsewhere") == f"{run.folder}@{key}"
    assert pin(f"{run.name}@{STALE}", tmp_path) == f"{run.name}@{STALE}", "pinned is pinned"


def test_a_shipped_agent_is_pinned_without_touching_the_project_and_copied_when_it_is_to_drive(tmp_path: Path) -> None:
    pinned = pin("zoo/car_racing_pure", tmp_path)
    assert pinned == f"zoo/car_racing_pure@{shipped_agent('zoo/car_racing_pure')}"
    assert list(tmp_path.iterdir()) == []
    assert fetched(pinned, tmp_path) == tmp_path / "artefacts" / "agent" / pinned.rpartition("@")[2]


def test_an_agent_of_another_project_is_copied_into_this_one(tmp_path: Path) -> None:
    run = toy_run(tmp_path / "theirs")
    copied = fetched(pin(str(run.folder), tmp_path / "mine"), tmp_path / "mine")
    assert copied.is_relative_to(tmp_path / "mine")
    assert (copied / "vision" / "weights.safetensors").is_file()


def test_an_agent_that_is_here_is_taken_even_if_its_run_is_gone(tmp_path: Path) -> None:
    run = toy_run(tmp_path)
    pinned = pin(run.name, tmp_path)
    (run.folder / "run.json").unlink()
    assert fetched(pinned, tmp_path) == agent_path(tmp_path, pinned)


def agent_path(root: Path, pinned: str) -> Path:
    return root / "artefacts" / "agent" / pinned.rpartition("@")[2]


@pytest.mark.parametrize("damaged", [False, True])
def test_one_that_is_not_to_be_had_any_more_is_not_replaced_by_another(tmp_path: Path, damaged: bool) -> None:
    run = toy_run(tmp_path)
    key = agent_artefact(run).key if damaged else STALE
    if damaged:
        (agent_path(tmp_path, f"@{key}") / "vision" / "weights.safetensors").write_bytes(b"other")
    with pytest.raises(UserError, match=f"{run.name} has no such agent any more.*first_driver={run.name}"):
        fetched(f"{run.name}@{key}", tmp_path)


def test_a_name_of_nothing_says_whose_it_was_to_be(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"first_driver: zoo/car_racing_drem: .*Did you mean zoo/car_racing_dream"):
        pin("zoo/car_racing_drem", tmp_path)
    with pytest.raises(UserError, match="first_driver: no run 'gone'"):
        pin("gone", tmp_path)
    run = toy_run(tmp_path, finished=False)
    with pytest.raises(UserError, match=f"first_driver: {run.name} has no agent yet: it is failed"):
        pin(run.name, tmp_path)
