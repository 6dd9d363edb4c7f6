"""The engine runs a recipe that has nothing to do with learning to act: points are drawn, and a mean is estimated.

tests/plugins/monte_carlo.py and one YAML are all there is of it. It is planned, cached, killed and gone on with, swept,
searched, tabulated, tracked and shown as world models are.
"""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest

from tests.engine.tracking.leet import inspect, of_type, rows
from tests.runs import hashes, record, run, start, states
from tests.sweeps import ends, the_sweep
from wmframe.cli.main import main
from wmframe.dashboard.curves import Histories
from wmframe.dashboard.lineage import lineage
from wmframe.dashboard.overview import Project, RunRow
from wmframe.engine.durability.failpoints import VARIABLE

Capture = pytest.CaptureFixture[str]

PLUGINS = Path(__file__).parents[1] / "plugins"
QUANTITIES = ["estimate/mean", "estimate/points", "estimate/standard_error"]


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a copy of the recipe, from which processes import it too."""
    folder = tmp_path / "mine"
    (folder / "conf" / "recipe").mkdir(parents=True)
    shutil.copy(PLUGINS / "monte_carlo.py", folder)
    shutil.copy(PLUGINS / "conf" / "recipe" / "monte_carlo.yaml", folder / "conf" / "recipe")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), *sys.path]))
    monkeypatch.delitem(sys.modules, "monte_carlo", raising=False)
    return folder


@pytest.fixture
def words(mine: Path) -> tuple[str, ...]:
    """The words that choose it."""
    chosen = ("--allow", "monte_carlo", "--config-dir", str(mine / "conf"), "recipe=monte_carlo")
    return (*chosen, "tracker=none", "trainer.threads=1")


def metrics(folder: Path) -> dict[str, float]:
    """What a run came to."""
    found: dict[str, float] = record(folder)["metrics"]
    return found


def runs(root: Path) -> list[Path]:
    """The folders of all runs."""
    return [path.parent for path in sorted(root.glob("runs/*/run.json")) if not path.parent.is_symlink()]


def ended(words: Sequence[str], root: Path, monkeypatch: pytest.MonkeyPatch, fault: str = "") -> tuple[int, str]:
    """Run it in a process of its own, failing as `fault` says; return its exit code and what it said."""
    with monkeypatch.context() as patch:
        if fault:
            patch.setenv(VARIABLE, fault)
        process = start(words, root)
    said, _ = process.communicate(timeout=300)
    return process.returncode, said


def test_it_is_planned_without_torch(words: tuple[str, ...], tmp_path: Path) -> None:
    code = (
        "import sys; from wmframe.cli.main import main; assert main(sys.argv[1:]) == 0; "
        "heavy = {'torch', 'gymnasium', 'nevergrad', 'pytorch_lightning'} & set(sys.modules); assert not heavy, heavy"
    )
    command = [sys.executable, "-c", code, "plan", *words, f"paths.root={tmp_path / 'empty'}"]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["draw", "estimate", "in"]


def test_it_is_computed_once_and_an_edit_of_it_again(
    words: tuple[str, ...], mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    first = run(*words, root=tmp_path)
    assert states(first) == {"draw": "ran", "estimate": "ran"}
    assert states(run(*words, root=tmp_path)) == {"draw": "cached", "estimate": "cached"}
    assert states(run(*words, "power=3", root=tmp_path)) == {"draw": "cached", "estimate": "ran"}
    capsys.readouterr()
    assert main(["plan", *words, "seed=1", f"paths.root={tmp_path}"]) == 0
    assert "no estimate" not in capsys.readouterr().out
    source = mine / "monte_carlo.py"
    source.write_text(source.read_text().replace("np.array_split(", "np.array_split(4 * "))
    code, said = ended(words, tmp_path, monkeypatch)
    assert code == 0, said
    again = (tmp_path / "runs" / "latest").resolve()
    assert states(again) == {"draw": "ran", "estimate": "ran"}
    assert metrics(again)["estimate/mean"] == pytest.approx(4 * metrics(first)["estimate/mean"])


def test_what_it_comes_to_is_what_its_points_say(words: tuple[str, ...], tmp_path: Path) -> None:
    folder = run(*words, "spread=3", root=tmp_path)
    [file] = tmp_path.glob("artefacts/draw/*/points.npy")
    points = np.load(file)
    assert metrics(folder)["estimate/mean"] == pytest.approx(np.mean(points**2))
    assert metrics(folder)["estimate/standard_error"] == pytest.approx(np.std(points**2) / np.sqrt(len(points)))
    assert metrics(folder)["estimate/points"] == len(points)


@pytest.mark.parametrize(
    "fault",
    [
        "estimate.batch:20",
        pytest.param("half.metrics.json", marks=pytest.mark.slow),
        pytest.param("estimate.sealed", marks=pytest.mark.slow),
    ],
)
def test_killed_there_it_goes_on_to_the_same_bits(
    fault: str, words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(*words, root=tmp_path / "whole")
    root = tmp_path / "killed"
    code, said = ended(words, root, monkeypatch, f"{fault}:SIGKILL")
    assert code == -signal.SIGKILL, said
    assert {name.partition("/")[0] for name in hashes(root)} == {"draw"}
    [ledger] = root.glob("artefacts/estimate/*.work/resume/batches.jsonl")
    assert len(ledger.read_text().splitlines()) == (20 if fault == "estimate.batch:20" else 40)
    code, said = ended(words, root, monkeypatch)
    assert code == 0, said
    assert ("estimate  resuming at 50 % 20/40 batches" in said) == (fault == "estimate.batch:20")
    assert hashes(root) == hashes(tmp_path / "whole")
    resumed = (root / "runs" / "latest").resolve()
    assert states(resumed) == {"draw": "cached", "estimate": "cached" if fault == "estimate.sealed" else "ran"}
    assert metrics(resumed) == metrics(whole)


def test_a_sweep_of_it_is_a_table_of_what_it_measured(words: tuple[str, ...], tmp_path: Path, capsys: Capture) -> None:
    assert main(["run", "-m", *words, "power=1,2", "seed=1,2,3,4,5", f"paths.root={tmp_path}"]) == 0
    assert "power=2 seed=5  estimate/mean " in capsys.readouterr().out
    sweep = the_sweep(tmp_path)
    assert ends(sweep) == {"finished": 10}
    assert [len(list(tmp_path.glob(f"artefacts/{stage}/*/manifest.json"))) for stage in ("draw", "estimate")] == [5, 10]

    table = list(csv.DictReader((sweep.folder / "table.csv").read_text().splitlines()))
    found = {(row["quantity"], row["power"]): row for row in table}
    assert list(found) == [(name, power) for name in QUANTITIES for power in ("1", "2")]
    for (name, power), row in found.items():
        of = [metrics(tmp_path / "runs" / job.run) for job in sweep.jobs() if f"power={power}" in job.overrides]
        assert json.loads(row["run_means"]) == [one[name] for one in of]
        assert float(row["mean"]) == pytest.approx(fmean(one[name] for one in of))
        assert (row["kind"], row["runs"], row["worst_run"], row["remarks"]) == ("configuration", "5", "", "")
        assert float(row["low"]) <= float(row["mean"]) <= float(row["high"])
    text = (sweep.folder / "table.md").read_text()
    assert "| 2 | estimate/mean | 1.0" in text
    assert "random policy" not in text
    assert "awake" not in text
    html = (sweep.folder / "report.html").read_text()
    assert "2 configurations, 10 training runs." in html
    assert "estimate/mean, by power" in html
    assert "awake" not in html


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('context.metrics({"mean": float("nan")})', "mean is nan: it must be finite"),
        ('context.metrics({"The mean": 1.0})', "is not a metric name"),
        ('(context.output / "metrics.json").write_text(\'{"mean": "much"}\')', "not a stage's metrics"),
    ],
)
def test_metrics_that_are_no_numbers_fail_the_run(
    written: str, said: str, words: tuple[str, ...], mine: Path, tmp_path: Path, capsys: Capture
) -> None:
    source = mine / "monte_carlo.py"
    source.write_text(source.read_text().replace('context.metrics({**found, "points": sums["count"]})', written))
    assert main(["run", *words, f"paths.root={tmp_path}"]) == 1
    assert said in capsys.readouterr().err
    [folder] = runs(tmp_path)
    assert (record(folder)["state"], said in record(folder)["error"]) == ("failed", True)


def test_a_search_goes_by_a_metric_and_is_confirmed_by_what_the_recipe_has(
    words: tuple[str, ...], tmp_path: Path, capsys: Capture
) -> None:
    how = ["hydra/sweeper=nevergrad", "hydra.sweeper.optimizer=OnePlusOne", "hydra.sweeper.budget=3"]
    by = ["hydra.sweeper.quantity=estimate/standard_error", "hydra.sweeper.maximize=false"]
    wanted = ["run", "-m", *words, "spread=interval(0.5,2)", f"paths.root={tmp_path}", *how]
    assert main([*wanted, *by]) == 0
    assert "job 4 is what the search recommends, run on its own with seed=1000" in capsys.readouterr().out
    sweep = the_sweep(tmp_path)
    jobs = sweep.jobs()
    assert [jobs[-1].overrides[-1], len(jobs)] == ["seed=1000", 4]
    ledger = [json.loads(line)["row"]["told"] for line in (sweep.folder / "search.jsonl").read_text().splitlines()]
    asked = [metrics(tmp_path / "runs" / job.run)["estimate/standard_error"] for job in jobs[:3]]
    assert [loss for told in ledger for loss in told] == asked
    best = min(jobs[:3], key=lambda job: metrics(tmp_path / "runs" / job.run)["estimate/standard_error"])
    assert next(o for o in best.overrides if o.startswith("spread=")) in jobs[-1].overrides

    assert main(wanted) == 1
    assert f"no hydra.sweeper.quantity=reality: it has {', '.join(QUANTITIES)}" in capsys.readouterr().err


def test_a_tracker_hears_its_history_its_summary_and_its_lineage(words: tuple[str, ...], tmp_path: Path) -> None:
    tracked = [word for word in words if not word.startswith("tracker")]
    folder = run(*tracked, "tracker=wandb_offline", root=tmp_path)
    records = inspect(folder)
    told = [row for row in rows(records) if "estimate/mean" in row]
    [history] = tmp_path.glob("artefacts/estimate/*/history.jsonl")
    logged = [json.loads(line) for line in history.read_text().splitlines()]
    assert [(row["estimate/step"], row["estimate/mean"]) for row in told] == [
        (row["step"], row["estimate/mean"]) for row in logged
    ]
    assert len(told) == 40
    assert summary(records) == metrics(folder)
    made = {found["name"]: json.loads(found.get("metadata", "{}")) for found in of_type(records, "artifact")}
    [points] = [name for name in made if name.startswith("draw-")]
    [facts] = [facts for name, facts in made.items() if name.startswith("estimate-")]
    assert facts["parents"] == {"points": points}


def summary(records: Sequence[dict[str, Any]]) -> dict[str, float]:
    """The last values that a run's summary has of what it measured."""
    told = [update for found in of_type(list(records), "summary") for update in found.get("update", {}).items()]
    return {name: float(value) for name, value in told if name in QUANTITIES}


def test_commands_and_its_page_show_what_it_came_to(words: tuple[str, ...], tmp_path: Path, capsys: Capture) -> None:
    folder = run(*words, root=tmp_path)
    mean = metrics(folder)["estimate/mean"]
    assert f"estimate/mean                    {mean:.6g}\n" in capsys.readouterr().out
    assert main(["status", f"root={tmp_path}"]) == 0
    assert f"estimate/mean {mean:.4g}" in capsys.readouterr().out
    assert main(["status", "latest", f"root={tmp_path}"]) == 0
    assert f"estimate/mean                    {mean:.6g}\n" in capsys.readouterr().out
    page = (folder / "report.html").read_text()
    assert f"This run came to estimate/mean {mean:.4f}" in page
    assert "<h3>estimate: standard error</h3>" in page
    assert "Scoreboard" not in page
    assert main(["report", "latest", f"root={tmp_path}", "--allow", "monte_carlo"]) == 0
    assert (folder / "report.html").read_text() == page


@pytest.mark.parametrize("command", ["evaluate latest", "watch latest", "export latest to=there"])
def test_commands_that_need_an_agent_say_that_it_has_none(
    command: str, words: tuple[str, ...], tmp_path: Path, capsys: Capture
) -> None:
    run(*words, root=tmp_path)
    assert main([*command.split(), f"root={tmp_path}"]) == 1
    assert "has no agent yet: no stage of its published one" in capsys.readouterr().err


def test_the_dashboard_has_its_numbers_its_curves_and_its_lineage(words: tuple[str, ...], tmp_path: Path) -> None:
    folder = run(*words, root=tmp_path)
    project = Project(tmp_path)
    [row] = project.overview().runs
    assert (row.state, row.scores, row.metrics) == ("finished", {}, metrics(folder))
    curves = Histories(project).curves(folder)
    assert set(curves.columns) == {"estimate/mean", "estimate/standard_error"}
    assert list(curves.columns["estimate/mean"].x) == list(range(1, 41))
    steps = {step.name: step for step in lineage(project, folder).steps}
    assert {name: tuple(step.parents) for name, step in steps.items()} == {"draw": (), "estimate": ("draw",)}


@pytest.fixture
def frozen(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator["subprocess.Popen[str]"]:
    """A process that stands still in the middle of its second stage."""
    with monkeypatch.context() as patch:
        patch.setenv(VARIABLE, "estimate.batch:20:SIGSTOP")
        process = start(words, tmp_path)
    yield process
    process.kill()
    process.communicate()


def test_the_dashboard_follows_it_while_it_goes_on(frozen: "subprocess.Popen[str]", tmp_path: Path) -> None:
    until = time.monotonic() + 120
    while not os.WIFSTOPPED(os.waitpid(frozen.pid, os.WUNTRACED | os.WNOHANG)[1]):
        assert time.monotonic() < until
        time.sleep(0.05)
    live = _only_row(tmp_path).live
    assert live is not None
    assert (live.name, live.number, live.stages) == ("estimate", 2, 2)
    assert (live.done, live.total, live.unit) == (20, 40, "batches")
    frozen.kill()
    frozen.wait()
    assert (_only_row(tmp_path).state, _only_row(tmp_path).live) == ("stopped", None)


def _only_row(root: Path) -> RunRow:
    [row] = Project(root).overview().runs
    return row
