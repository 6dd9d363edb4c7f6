"""Real sweeps of the toy: what is run once, what is not run again, and what a failure costs the others."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runs import start
from tests.sweeps import FRAGILE, PLUGINS, TINY, ends, runs, the_sweep
from wmframe.cli.main import main

Capture = pytest.CaptureFixture[str]
TWO = (*TINY, "world.temperature=0.5,1.0")


def sweep(root: Path, *arguments: str) -> int:
    return main(["run", "-m", *arguments, f"paths.root={root}"])


def test_the_same_command_again_runs_nothing(tmp_path: Path, capsys: Capture) -> None:
    assert sweep(tmp_path, *TWO) == 0
    first = capsys.readouterr()
    assert "[1] controller.1" in first.err
    assert "[2] memory.1: cached" in first.err
    before = runs(tmp_path)
    assert len(before) == 2
    assert sweep(tmp_path, *TWO) == 0
    again = capsys.readouterr()
    assert "2 of 2 jobs finished before and are not run again" in again.err
    assert again.out == first.out
    assert runs(tmp_path) == before
    assert {job.run for job in the_sweep(tmp_path).jobs()} == set(before)


def test_other_words_for_the_same_jobs_find_the_same_sweep(tmp_path: Path, capsys: Capture) -> None:
    words = (
        ["world.temperature=0.5,1", "name=a,b"],
        ["world.temperature=0.5,1.0,1", "name=a,b"],
        ["++world.temperature=.5,1", "name=a,b"],
    )
    for typed in words:
        assert sweep(tmp_path, *TINY, *typed) == 0
    assert "4 of 4 jobs finished before and are not run again" in capsys.readouterr().err
    assert len(runs(tmp_path)) == 4
    [found] = [path for path in (tmp_path / "sweeps").iterdir() if not path.is_symlink()]
    assert ends(the_sweep(tmp_path)) == {"finished": 4}
    rows = list(csv.DictReader((found / "table.csv").read_text().splitlines()))
    assert [row["runs"] for row in rows if row["kind"] == "configuration"] == ["1", "1"]


def test_a_job_whose_run_was_deleted_is_run_again(tmp_path: Path) -> None:
    import shutil

    assert sweep(tmp_path, *TINY) == 0
    [gone] = runs(tmp_path)
    shutil.rmtree(tmp_path / "runs" / gone)
    assert sweep(tmp_path, *TINY) == 0
    assert len(runs(tmp_path)) == 1
    assert runs(tmp_path) != [gone]


def test_a_failed_job_is_reported_and_costs_the_others_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.syspath_prepend(str(PLUGINS))
    command = [*TWO, *FRAGILE, "controller.breaks={temperature: 0.5}"]
    assert sweep(tmp_path, *command) == 1
    said = capsys.readouterr()
    assert "[1] failed: Traceback" in said.err
    assert said.err.index("steering column") < said.err.index("job 2 of 2")
    assert "1  failed    world.temperature=0.5  ArithmeticError: the steering column came off" in said.out
    assert "2  finished  world.temperature=1.0  reality " in said.out
    assert "1 of 2 jobs failed: 1" in said.out

    before = runs(tmp_path)
    assert sweep(tmp_path, *command) == 1
    assert "1 failed before: 1; add --retry-failed" in capsys.readouterr().err
    assert runs(tmp_path) == before

    monkeypatch.setattr("fragile_controller.Fragile.mended", True)
    assert sweep(tmp_path, *command, "--retry-failed") == 0
    assert len(runs(tmp_path)) == len(before) + 1
    assert ends(the_sweep(tmp_path)) == {"finished": 2}


def test_fail_fast_leaves_the_rest_for_another_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.syspath_prepend(str(PLUGINS))
    command = [*TWO, *FRAGILE, "controller.breaks={temperature: 0.5}"]
    assert sweep(tmp_path, *command, "--fail-fast") == 1
    said = capsys.readouterr()
    assert ends(the_sweep(tmp_path)) == {"failed": 1, "waiting": 1}
    assert "1 of 2 jobs are left: 2; the same command goes on with them" in said.out
    assert sweep(tmp_path, *command) == 1
    assert ends(the_sweep(tmp_path)) == {"failed": 1, "finished": 1}


@pytest.mark.slow
def test_two_processes_share_the_jobs(tmp_path: Path) -> None:
    command = ["-m", *TINY, "world.temperature=0.5,0.8,1.0,1.2"]
    both = [start(command, tmp_path) for _ in range(2)]
    for process in both:
        said, _ = process.communicate(timeout=300)
        assert process.returncode == 0, said
        assert said.count(" finished ") == 4
    assert len(runs(tmp_path)) == 4
    assert ends(the_sweep(tmp_path)) == {"finished": 4}


def test_a_search_tries_what_the_optimizer_asks_for_and_goes_on_where_it_stopped(
    tmp_path: Path, capsys: Capture
) -> None:
    ranges = ["world.temperature=interval(0.5,1.5)", "search.sigma=tag(log,interval(0.01,1))"]
    how = ["hydra/sweeper=nevergrad", "hydra.sweeper.budget=3", "hydra.sweeper.optimizer=OnePlusOne"]
    assert sweep(tmp_path, *TINY, *ranges, *how) == 0
    whole = capsys.readouterr().out
    assert "job 4 is what the search recommends, run on its own with seed=1000" in whole
    found = the_sweep(tmp_path)
    jobs = found.jobs()
    assert ends(found) == {"finished": 4}
    assert jobs[-1].overrides[-2:] == ("seed=1000", "evaluate.first_seed=100000")

    (found.folder / "jobs" / "0003.json").unlink()  # as if killed while it was at its third job
    ledger = found.folder / "search.jsonl"
    ledger.write_text("".join(line + "\n" for line in ledger.read_text().splitlines()[:2]))
    before = runs(tmp_path)
    assert sweep(tmp_path, *TINY, *ranges, *how) == 0
    assert capsys.readouterr().out == whole
    assert len(runs(tmp_path)) == len(before) + 1


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("-m seed=1,2 hydra/launcher=bsic", "Did you mean basic?"),
        ("-m seed=1,2 hydra.launcher.n_jobs=2", "add hydra/launcher=joblib"),
        ("-m seed=1,2 hydra/sweeper=nevergrd", "Did you mean nevergrad?"),
        ("-m seed=interval(1,2) hydra/sweeper=nevergrad hydra.sweeper.bugdet=3", "Did you mean hydra.sweeper.budget?"),
        ("-m world.temperature=interval(-1,2) hydra/sweeper=nevergrad", "world.temperature=-1.0: must be"),
        ("-m env=glob(*) hydra/sweeper=nevergrad", "choices listed"),
        ("-m hydra.sweeper.params={seed:1}", "as overrides"),
        ("seed=1 hydra/launcher=basic", "add -m"),
        ("seed=1 --retry-failed", "add -m"),
        ("-m paths.root=a,b", "in one folder"),
        ("-m seed=1,2,3,4,5 ++seed=7", "++seed=7 sets seed too"),
        ("-m seed=1,2 seed=7", "To sweep over seed leave out seed=7"),
        (
            "-m world.temperature=interval(1,2) world.temperature=1 hydra/sweeper=nevergrad",
            "sets world.temperature too",
        ),
    ],
)
def test_mistakes_are_answered_before_anything_runs(
    typed: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", *typed.split()]) == 2
    assert expected in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_launcher_that_is_not_installed_is_named_with_what_to_type(tmp_path: Path) -> None:
    """In a process of its own, in which no plugin but ours is found."""
    code = (
        "import sys\nimport hydra_plugins\n"
        f"hydra_plugins.__path__ = [{str(Path(__file__).parents[2] / 'hydra_plugins')!r}]\n"
        "from wmframe.cli.main import main\n"
        "raise SystemExit(main(['run', '-m', 'seed=1,2', 'hydra/launcher=submitit_slurm']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "pip install 'wmframe[submitit]'" in done.stderr
