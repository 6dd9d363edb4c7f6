"""Whole runs of the toy as W&B has them: names, lineage, one run however often the command is typed."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.engine.tracking.leet import Record, inspect, log_of, of_type, rows
from tests.runs import SMOKE, record, run, start
from wmframe.cli.main import main
from wmframe.engine.store.store import Store
from wmframe.engine.tracking.history import check_name
from wmframe.engine.tracking.wandb_tracker import SMALL_BYTES

TRACKED = [
    *(override for override in SMOKE if not override.startswith("tracker")),
    *("rounds=2", "select.chosen=awake", "select.episodes=2", "memory.value_steps=3"),
    "search.returned=improved",
]
METRICS = (Path(__file__).parents[3] / "docs" / "metrics.md").read_text()


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two runs of one command: the first computes, the second finds."""
    root = tmp_path_factory.mktemp("tracked")
    return [run(*TRACKED, root=root), run(*TRACKED, root=root)]


@pytest.fixture(scope="module")
def told(twice: list[Path]) -> list[list[Record]]:
    return [inspect(folder) for folder in twice]


def listed(heading: str) -> set[str]:
    """The names in the table under a heading of docs/metrics.md."""
    [section] = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", METRICS, re.DOTALL | re.MULTILINE)
    return set(re.findall(r"^\| `([^`]+)`", section, re.MULTILINE))


def artefacts(records: list[Record]) -> dict[str, Record]:
    """What stages made, without the tables, which W&B keeps as artefacts of its own."""
    return {found["name"]: found for found in of_type(records, "artifact") if found["type"] != "run_table"}


def test_every_metric_is_listed_and_every_listed_one_is_logged(told: list[list[Record]]) -> None:
    names = {name for row in rows(told[0]) for name in row}
    curves = {name for name in names if "." not in name and not name.endswith("/step")}
    media = {name.partition(".")[0] for name in names if "." in name}
    assert curves == listed("Curves")
    numbers = {
        name
        for summary in of_type(told[0], "summary")
        for name in summary.get("update", {})
        if name.startswith("evaluate/") and "." not in name and not name.endswith("/step")
    }
    assert media | numbers == listed("Summary, pictures, tables")
    for name in curves | media | numbers:
        check_name(name)


def test_a_run_is_named_by_what_was_asked_for_and_says_how_to_repeat_it(
    twice: list[Path], told: list[list[Record]]
) -> None:
    [first] = of_type(told[0], "run")
    assert first["display_name"] == " ".join(TRACKED)
    assert first["notes"].startswith("wmframe run env=toy preset=smoke")
    assert twice[0].name in first["notes"]
    assert '"latent_size"' in json.dumps(first["config"])


def test_the_same_command_again_is_the_same_run_told_from_the_beginning(
    twice: list[Path], told: list[list[Record]]
) -> None:
    """W&B lets the later telling of an id replace the earlier one, so the later one must lack nothing."""
    assert twice[0] != twice[1]
    assert len({of_type(records, "run")[0]["run_id"] for records in told}) == 1
    first, second = ([row for row in rows(records) if "run/stages" not in str(row)] for records in told)
    numbers = [[{n: v for n, v in row.items() if "." not in n} for row in told] for told in (first, second)]
    assert numbers[0] == numbers[1]
    assert len(numbers[0]) > 20


def test_what_a_run_computed_is_its_output_and_what_it_found_its_input(
    twice: list[Path], told: list[list[Record]]
) -> None:
    for folder, records, used in zip(twice, told, (False, True), strict=True):
        found = artefacts(records)
        assert set(found) == {f"{stage['stage']}-{stage['key']}" for stage in record(folder)["stages"]}
        assert {artefact.get("use_after_commit", False) for artefact in found.values()} == {used}


def test_lineage_leads_from_the_score_back_to_the_data(told: list[list[Record]]) -> None:
    found = {name: json.loads(artefact["metadata"]) for name, artefact in artefacts(told[0]).items()}
    [score] = [name for name in found if name.startswith("evaluate-")]
    seen, ahead = set(), {score}
    while ahead:
        seen |= ahead
        ahead = {parent for name in ahead for parent in found[name]["parents"].values()} - seen
    assert seen == set(found)
    [vision] = [facts for name, facts in found.items() if name.startswith("vision-")]
    assert vision["config"]["vision"]["latent_size"] == 8


def test_small_files_go_along_and_wait_where_sync_will_look_for_them(
    twice: list[Path], told: list[list[Record]]
) -> None:
    store = Store(twice[0].parents[1] / "artefacts")
    for name, artefact in artefacts(told[0]).items():
        stage, _, key = name.partition("-")
        ours = store.find(stage, key)
        assert ours is not None
        sent = {entry["path"]: Path(entry["local_path"]) for entry in artefact["manifest"]["contents"]}
        small = {file for file, facts in ours.manifest["files"].items() if facts["bytes"] <= SMALL_BYTES}
        assert set(sent) == {"manifest.json", *small}
        for file, waiting in sent.items():
            assert waiting.is_relative_to(twice[0] / "wandb")
            assert waiting.read_bytes() == (ours.path / file).read_bytes()


def test_large_files_stay_where_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wmframe.engine.tracking.wandb_tracker.SMALL_BYTES", 2000)
    records = inspect(run(*TRACKED, "vision.steps=1", "memory.steps=1", "search.generations=1", root=tmp_path))
    for artefact in artefacts(records).values():
        assert all(int(entry["size"]) <= 2000 for entry in artefact["manifest"]["contents"])
        assert all(
            re.fullmatch(r"[0-9a-f]{64}", f["sha256"]) for f in json.loads(artefact["metadata"])["files"].values()
        )


def test_wandb_sync_takes_all_of_it(twice: list[Path]) -> None:
    logs = [log_of(folder) for folder in twice]
    command = [sys.executable, "-m", "wandb", "sync", "--dry-run", *(str(log.parent) for log in logs)]
    said = subprocess.run(command, capture_output=True, check=True, text=True)
    assert "Would sync 2 run(s)" in said.stdout + said.stderr


def test_jobs_of_a_multirun_are_runs_of_their_own_each_closed(tmp_path: Path) -> None:
    command = ["run", "-m", *TRACKED, "vision.steps=2", "memory.steps=2", "search.generations=2"]
    assert main([*command, f"paths.root={tmp_path}", "world.temperature=0.5,1.0"]) == 0
    jobs = [inspect(path.parent) for path in sorted(tmp_path.glob("runs/*/run.json")) if path.parent.name != "latest"]
    assert len(jobs) == 2
    assert len({of_type(records, "run")[0]["run_id"] for records in jobs}) == 2
    assert [of_type(records, "exit")[0].get("exit_code", 0) for records in jobs] == [0, 0]
    assert len({json.dumps(of_type(records, "run")[0]["config"]) for records in jobs}) == 2


@pytest.mark.slow
def test_a_run_that_was_killed_and_typed_again_is_one_run(tmp_path: Path) -> None:
    asked = [*TRACKED, "memory.steps=300", "trainer.save_seconds=1"]
    process = start(asked, tmp_path)
    until = time.monotonic() + 300
    while time.monotonic() < until and not list(tmp_path.glob("artefacts/memory/*.work/resume/fit/state.json")):
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    [killed] = [path.parent for path in tmp_path.glob("runs/*/run.json")]
    again = run(*asked, root=tmp_path)
    while time.monotonic() < until and not of_type(inspect(killed), "exit"):
        time.sleep(0.5)
    first, second = inspect(killed), inspect(again)
    assert of_type(first, "run")[0]["run_id"] == of_type(second, "run")[0]["run_id"]
    assert of_type(first, "exit")[0]["exit_code"] == 1
    before, after = ([row for row in rows(records) if "vision/kl" in row] for records in (first, second))
    assert len(before) > 3
    assert before == after
    steps = [row["memory/step"] for row in rows(second) if "memory/nll" in row]
    assert steps == sorted(steps)
    assert {row["memory/step"] for row in rows(first) if "memory/nll" in row} <= set(steps)
