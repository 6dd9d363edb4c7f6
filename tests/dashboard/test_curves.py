import json
from dataclasses import asdict, replace
from pathlib import Path

from tests.dashboard.project import POINTS, write_history, write_run
from wmframe.dashboard.curves import MOST_POINTS, Histories
from wmframe.dashboard.overview import Project
from wmframe.engine.graph.recipe import nodes_of
from wmframe.engine.runs.runs import Run


def history_of(root: Path, run: Run, stage: str) -> Path:
    [record] = [record for record in run.record().stages if record.stage == stage]
    return root / "artefacts" / stage / record.key / "history.jsonl"


def test_every_metric_is_a_column_over_its_stages_steps(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    found = Histories(Project(tmp_path)).curves(run.folder)
    assert found.columns.keys() == {
        *("vision/squared_error", "vision/held_out_squared_error", "vision/kl"),
        *("memory/nll", "memory/held_out_nll", "controller/fitness_mean", "controller/fitness_best"),
    }
    assert found.columns["memory/nll"].x == list(range(1, POINTS + 1))
    rows = [json.loads(line) for line in history_of(tmp_path, run, "memory").read_text().splitlines()]
    assert found.columns["memory/nll"].y == [row["memory/nll"] for row in rows]
    assert (found.rounds, found.errors) == ({}, [])


def test_rounds_stand_end_to_end(tmp_path: Path) -> None:
    run = write_run(tmp_path, rounds=2)
    found = Histories(Project(tmp_path)).curves(run.folder)
    assert found.rounds == {"memory": [POINTS], "controller": [POINTS]}
    assert found.columns["memory/nll"].x == list(range(1, 2 * POINTS + 1))
    assert found.columns["vision/kl"].x == list(range(1, POINTS + 1))


def test_the_stage_at_work_is_drawn_as_far_as_it_is(tmp_path: Path) -> None:
    run = write_run(tmp_path, state="running", stages=3)
    project = Project(tmp_path)
    histories = Histories(project)
    work = project.watch.work(project.watch.stages(run)[3])
    work.mkdir(parents=True)
    for points in (4, 9):
        write_history(work / "history.jsonl", nodes_of(run.experiment(("wmframe",)))[3], points)
        with (work / "history.jsonl").open("a") as file:
            file.write('{"step": 99, "memory/nl')  # being written just now
        with run.held():
            assert histories.curves(run.folder).columns["memory/nll"].x == list(range(1, points + 1))
    assert histories.curves(run.folder).columns["memory/nll"].x == list(range(1, 10))  # stopped: what it got to


def test_long_curves_are_thinned_and_gaps_stay_gaps(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    rows = [f'{{"step": {step}, "memory/nll": {"NaN" if step == 70 else step % 7}}}' for step in range(1, 5000)]
    history_of(tmp_path, run, "memory").write_text("\n".join(rows) + "\n")
    column = Histories(Project(tmp_path)).curves(run.folder).columns["memory/nll"]
    assert len(column.x) == len(column.y) <= MOST_POINTS
    assert dict(zip(column.x, column.y, strict=True))[70] is None
    json.dumps(asdict(column), allow_nan=False)


def test_a_damaged_history_is_named_and_the_others_are_drawn(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    history_of(tmp_path, run, "memory").write_text("nonsense\n")
    found = Histories(Project(tmp_path)).curves(run.folder)
    assert "vision/kl" in found.columns
    assert "memory/nll" not in found.columns
    [error] = found.errors
    assert "line 1: damaged" in error
    assert str(tmp_path) not in error


def test_no_key_of_a_record_leads_out_of_the_store(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    (tmp_path / "history.jsonl").write_text('{"step": 1, "a/b": 1}\n{"step": 2, "a/b": 2}\n')
    history_of(tmp_path, run, "vision").unlink()
    history_of(tmp_path, run, "vision").symlink_to(tmp_path / "history.jsonl")
    record = run.record()
    stages = [replace(stage, key="../..") if stage.stage == "memory" else stage for stage in record.stages]
    run.write(replace(record, stages=tuple(stages)))
    found = Histories(Project(tmp_path)).curves(run.folder)
    assert found.columns.keys() == {"controller/fitness_mean", "controller/fitness_best"}
