"""The agent: the last round's V, M and C, or those of the round that earned most awake."""

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.runs import SMOKE, record, run, states


def stage(folder: Path, name: str) -> Path:
    """Where one of a run's results lies."""
    [found] = [s for s in record(folder)["stages"] if s["name"] == name]
    return folder.parent.parent / "artefacts" / str(found["stage"]) / str(found["key"])


def told(folder: Path) -> dict[str, object]:
    plain: dict[str, object] = json.loads((stage(folder, "agent") / "agent.json").read_text())
    return plain


def test_the_round_that_earned_most_awake_is_the_agent(tmp_path: Path) -> None:
    choosing = ("rounds=3", "select.chosen=awake", "select.episodes=3")
    folder = run(*SMOKE, *choosing, root=tmp_path)
    trials = [json.loads((stage(folder, f"select.{n}") / "scores.json").read_text()) for n in (1, 2, 3)]
    assert trials[0]["seeds"] == trials[2]["seeds"]
    assert not set(trials[0]["seeds"]) & set(record(folder)["seeds"])
    earned = [sum(trial["scores"]["reality"]["returns"]) for trial in trials]
    best = earned.index(max(earned)) + 1
    assert len(set(earned)) == 3, "a tie would prove nothing"
    assert told(folder)["round"] == best
    for part, name in (("controller", f"controller.{best}"), ("memory", f"memory.{best}"), ("vision", "vision.1")):
        mine = load_file(stage(folder, "agent") / part / "weights.safetensors")
        theirs = load_file(stage(folder, name) / "weights.safetensors")
        assert {k: v.tolist() for k, v in mine.items()} == {k: v.tolist() for k, v in theirs.items()}
    assert (stage(folder, "agent") / "controller" / "starts.safetensors").is_file()


def test_tried_for_the_curve_alone_the_last_round_is_the_agent_whatever_it_earned(tmp_path: Path) -> None:
    folder = run(*SMOKE, "rounds=3", "select.trials=true", "select.episodes=3", root=tmp_path)
    trials = [json.loads((stage(folder, f"select.{n}") / "scores.json").read_text()) for n in (1, 2, 3)]
    means = [sum(trial["scores"]["reality"]["returns"]) / 3 for trial in trials]
    said = told(folder)
    assert said["round"] == 3
    assert means[2] < max(means), "of the best nothing would be shown"
    assert isinstance(said["earned"], dict)
    assert [said["earned"][n]["reality"] for n in ("1", "2", "3")] == pytest.approx(means)
    mine = load_file(stage(folder, "agent") / "controller" / "weights.safetensors")
    theirs = load_file(stage(folder, "controller.3") / "weights.safetensors")
    assert {k: v.tolist() for k, v in mine.items()} == {k: v.tolist() for k, v in theirs.items()}
    assert "select.1" in states(folder)


def test_by_default_it_is_the_last_rounds_driver_and_none_is_tried(tmp_path: Path) -> None:
    folder = run(*SMOKE, "rounds=2", root=tmp_path)
    said = told(folder)
    assert (said["round"], said["earned"], said["frames_tried_on"]) == (2, {}, 0)
    collected = [json.loads((stage(folder, f"collect.{n}") / "summary.json").read_text()) for n in (1, 2)]
    assert said["recorded"] == collected
    assert not any(name.startswith("select") for name in states(folder))
