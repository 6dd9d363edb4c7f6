import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.project import write_run
from wmframe.dashboard.lineage import lineage
from wmframe.dashboard.overview import Project
from wmframe.engine.durability.checksummed import write_vouched
from wmframe.engine.graph.recipe import nodes_of
from wmframe.engine.runs.planned import PlannedStage, RunGraph
from wmframe.engine.runs.runs import Run


def test_every_stage_names_what_it_was_made_of_and_who_shares_it(tmp_path: Path) -> None:
    run = write_run(tmp_path, world_temperature=0.5)
    write_run(tmp_path, world_temperature=1.5)
    found = lineage(Project(tmp_path), run.folder)
    nodes = {node.name: node for node in nodes_of(run.experiment(("wmframe",)))}
    assert {step.name: set(step.parents) for step in found.steps} == {
        name: {parent.name for parent in node.parents.values()} for name, node in nodes.items()
    }
    assert {step.name: step.shared for step in found.steps}["memory.1"] == 2
    assert {step.name: step.shared for step in found.steps}["controller.1"] == 1
    assert all(step.size for step in found.steps)
    assert found.provenance["commit"] == "0" * 40


def test_what_a_run_has_still_to_do_is_there_too(tmp_path: Path) -> None:
    run = write_run(tmp_path, state="running", stages=4)
    project = Project(tmp_path)
    with run.held():
        steps = lineage(project, run.folder).steps
    assert [step.state for step in steps] == ["ran"] * 4 + ["running", "waiting", "waiting", "waiting"]
    assert set(steps[4].parents) == {"vision.1", "memory.1", "latents.1_1"}
    assert lineage(project, run.folder).steps[4].state == "stopped"


def test_what_is_still_to_do_has_the_keys_that_the_run_was_planned_with(tmp_path: Path) -> None:
    """Those that its config would have here may be others by now: its user's code was edited, or wmframe is a newer."""
    run = write_run(tmp_path, state="failed", stages=3)
    nodes = nodes_of(run.experiment(("wmframe",)))
    planned = [replace(PlannedStage.of(node), key=f"{n:016x}") for n, node in enumerate(nodes)]
    write_graph(run, planned)
    steps = lineage(Project(tmp_path), run.folder).steps[3:]
    assert [(step.name, step.key) for step in steps] == [(stage.name, stage.key) for stage in planned[3:]]


@pytest.mark.parametrize("change", [{"name": "../x.1"}, {"key": "../../x"}, {"stage": "../../x"}], ids=str)
def test_a_plan_that_leads_elsewhere_is_none(tmp_path: Path, change: dict[str, Any]) -> None:
    run = write_run(tmp_path, state="failed", stages=0)
    stage = PlannedStage(name="memory.1", stage="memory", version=1, key="0" * 16)
    write_graph(run, [stage])
    assert [step.name for step in lineage(Project(tmp_path), run.folder).steps] == ["memory.1"]
    write_graph(run, [replace(stage, **change)])
    assert lineage(Project(tmp_path), run.folder).steps == []


def write_graph(run: Run, stages: list[PlannedStage]) -> None:
    write_vouched(run.folder / "graph.json", RunGraph(stages=tuple(stages)).plain(), "run")


def test_a_deleted_or_damaged_artefact_is_gone_and_no_more(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    keys = {stage.name: stage.key for stage in run.record().stages}
    shutil.rmtree(tmp_path / "artefacts" / "vision" / keys["vision.1"])
    for key, text in ((keys["memory.1"], "["), (keys["controller.1"], '{"parents": {"a": []}, "files": {}}')):
        stage = "memory" if key == keys["memory.1"] else "controller"
        (tmp_path / "artefacts" / stage / key / "manifest.json").write_text(text)
    steps = {step.name: step for step in lineage(Project(tmp_path), run.folder).steps}
    assert [steps[name].size for name in ("vision.1", "memory.1", "controller.1")] == [None] * 3
    assert steps["latents.1_1"].parents == ["collect.1", "vision.1"]


def test_a_damaged_run_has_none(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    (run.folder / "run.json").write_text("{}")
    assert lineage(Project(tmp_path), run.folder).steps == ()
