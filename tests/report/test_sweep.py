"""A sweep's table: what its rows say, in every format, of sweeps that are whole, partial, crashed and odd."""

import csv
import io
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.report.reader import read
from tests.report.sweeps import RANDOM, make_jobs, make_sweep, scores, write_job
from tests.runs import SMOKE, run
from wmframe.cli.main import main
from wmframe.engine.durability.files import read_json, write_json
from wmframe.engine.errors import UserError
from wmframe.engine.runs.sweeps import Sweep
from wmframe.report.sweep import write_sweep
from wmframe.report.sweep_rows import gather_rows
from wmframe.report.sweep_table import Line, Table, tabulate

HOSTILE = "=cmd|' /C calc'!A0 <script>alert(1)</script> a_b & 5 % \\ {}"
GRID = ("world.temperature=0.5,1.15", "seed=1,2,3,4,5", "preset=quick", "tracker=none")
FILES = ("report.html", "table.csv", "table.md", "table.tex")


def table(sweep: Sweep) -> Table:
    return tabulate(gather_rows(sweep))


def records(sweep: Sweep) -> list[dict[str, str]]:
    write_sweep(sweep)
    return list(csv.DictReader(io.StringIO((sweep.folder / "table.csv").read_text())))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """Two configurations of five runs: 100 to 500 awake at 0.5, ten more each at 1.15."""
    outcomes = [scores(100.0 * n + more, 50.0, seed=n) for more in (0, 10) for n in range(1, 6)]
    return make_sweep(tmp_path_factory.mktemp("whole"), GRID, outcomes)


def lines_of(sweep: Sweep) -> list[Line]:
    return list(table(sweep).lines)


def test_one_row_a_configuration_and_only_what_differs(whole: Sweep) -> None:
    shown = table(whole)
    assert shown.keys == ["world.temperature"]
    assert [line.labels for line in shown.lines] == [["0.5"], ["1.15"], ["V only"], ["random policy"]]
    first, second = shown.lines[:2]
    assert first.means == pytest.approx([100, 200, 300, 400, 500])
    assert (first.mean, first.worst) == pytest.approx((300, 100))
    assert first.episodes == [4] * 5
    assert second.mean == pytest.approx(310)
    assert shown.lines[-1].mean == pytest.approx(sum(RANDOM) / 4)


def test_five_runs_have_an_interval_and_fewer_have_words(whole: Sweep, tmp_path: Path) -> None:
    first = lines_of(whole)[0]
    assert first.interval is not None
    assert 100 < first.interval.low < 200
    assert 400 < first.interval.high < 500
    assert first.interval_words == ""
    three = make_sweep(tmp_path, ["world.temperature=0.5,1", "seed=1,2,3"], [scores(1, seed=n) for n in range(6)])
    assert [line.interval for line in lines_of(three)[:2]] == [None, None]
    assert {record["interval"] for record in records(three)[:2]} == {"no interval, n = 3"}
    assert "no interval, n = 3" in (three.folder / "report.html").read_text()


def test_one_training_run_is_not_counted_as_five(tmp_path: Path) -> None:
    """As `seed=1,2,3,4,5 ++seed=7` was run before it was refused: five jobs, one result."""
    jobs = [[f"seed={seed}", "world.temperature=1", "++seed=7"] for seed in range(1, 6)]
    sweep = make_jobs(tmp_path, jobs, [scores(13.2)] * 5)
    first = lines_of(sweep)[0]
    assert (first.labels, len(first.runs), first.interval) == (["all runs"], 1, None)
    assert first.interval_words == "no interval, n = 1"
    assert [run.seed for run in first.runs] == [7]
    assert first.note == "5 jobs computed 1 training run: the same result counts once"
    row = records(sweep)[0]
    assert (row["runs"], row["low"], json.loads(row["run_means"])) == ("1", "", pytest.approx([13.2]))
    html = (sweep.folder / "report.html").read_text()
    assert "1 configuration, 1 training run." in html
    assert "seed=1" not in html
    for name in FILES:
        assert "the same result counts once" in (sweep.folder / name).read_text(), name


@pytest.mark.parametrize(
    "key", ["trainer.threads=1,2", "name=a,b", "tracker=none,wandb_offline", "later.recency=0.5,1"]
)
def test_what_stands_in_no_key_makes_no_training_run(tmp_path: Path, key: str) -> None:
    typed = ["world.temperature=0.5,1.0", "seed=1,2,3,4,5", "rounds=1", key]
    outcomes = [scores(100.0 * (n // 2), seed=n // 2) for n in range(20)]
    sweep = make_sweep(tmp_path, typed, outcomes)
    shown = table(sweep)
    assert shown.keys == ["world.temperature"]
    assert [line.labels for line in shown.lines[:2]] == [["0.5"], ["1.0"]]
    assert shown.lines[0].means == pytest.approx([0, 100, 200, 300, 400])
    assert shown.lines[0].note == "10 jobs computed 5 training runs: the same result counts once"
    assert "2 configurations, 10 training runs." in write_sweep(sweep).read_text()


def test_values_of_one_result_stand_together_where_rows_differ_in_them(tmp_path: Path) -> None:
    outcomes = [scores(n // 2) for n in range(4)]
    shown = table(make_sweep(tmp_path, ["rounds=1,2", "later.recency=0.5,1"], outcomes[:2] + outcomes[:2]))
    assert [line.labels for line in shown.lines[:3]] == [["1", "0.5 or 1"], ["2", "0.5"], ["2", "1"]]


def test_a_driver_that_is_scored_twice_was_trained_once(tmp_path: Path) -> None:
    sweep = make_sweep(tmp_path, ["evaluate.first_seed=0,100", "seed=1,2"], [scores(n, n) for n in range(4)])
    assert [len(line.runs) for line in lines_of(sweep)[:2]] == [2, 2]
    html = write_sweep(sweep).read_text()
    assert "2 configurations, 2 training runs." in html
    assert "No rank correlation: 2 runs" in html


def test_a_sweep_that_was_moved_while_it_went_on_is_one_table(tmp_path: Path) -> None:
    told = [["paths.root=before", f"seed={seed}"] for seed in (1, 2)]
    sweep = make_jobs(tmp_path, told, [scores(1), "waiting"])
    write_job(sweep, 2, ["paths.root=after", "seed=2"], scores(2))
    first = lines_of(sweep)[0]
    assert (first.labels, len(first.runs)) == (["all runs"], 2)


def test_rows_are_labelled_by_what_was_composed(tmp_path: Path) -> None:
    shared = ["env=lunar_lander", "env.kwargs={enable_wind: true}", "++vision.latent_size=4"]
    wanted = [(8, -5), (9, -5), (8, -6)]
    jobs = [[f"vision.latent_size={size}", f"env.kwargs={{gravity: {g}}}", *shared] for size, g in wanted]
    shown = table(make_jobs(tmp_path, jobs, [scores(1), scores(1), scores(2)]))
    assert shown.keys == ["env.kwargs.gravity"]
    assert [(line.labels, len(line.runs)) for line in shown.lines[:2]] == [(["-5"], 1), (["-6"], 1)]


def test_the_gap_is_of_what_may_be_compared(tmp_path: Path) -> None:
    unequal = make_sweep(tmp_path / "a", ["seed=1"], [scores(250, 100, steps=250)])
    [line] = [line for line in lines_of(unequal) if line.runs]
    assert line.labels == ["all runs"]
    assert line.dream == pytest.approx(100)
    assert line.gap == pytest.approx(100 / 50 * 100 - 250 / 250 * 100)
    assert table(unequal).gap_heading == "gap per 100 steps"
    equal = make_sweep(tmp_path / "b", ["seed=1"], [scores(250, 100, steps=50)])
    assert lines_of(equal)[0].gap == pytest.approx(-150)
    assert table(equal).gap_heading == "gap"


def test_the_paper_stands_beside_its_rows_and_is_compared_on_its_own_task_alone(tmp_path: Path) -> None:
    overrides = ["ablation=senses", "preset=quick", "tracker=none"]
    track = make_sweep(tmp_path / "a", overrides, [scores(600 + n % 5, seed=n) for n in range(20)])
    lines = lines_of(track)
    assert [line.labels[0] for line in lines] == [
        *("V only, linear C", "V only, C with 40 hidden units", "V and M, linear C"),
        *("V and an untrained M, linear C", "random policy"),
    ]
    assert lines[0].difference == pytest.approx(602 - 632)
    assert "difference_low" in records(track)[0]
    assert float(records(track)[0]["difference_high"]) < -28
    assert lines[3].paper is None
    toy = make_sweep(tmp_path / "b", [*overrides, "env=toy", "seed=1"], [scores(600)] * 4)
    assert [line.difference for line in lines_of(toy)] == [None] * 5
    dream = make_sweep(tmp_path / "c", ["ablation=temperature", "seed=1"], [scores(600, 5)] * 5)
    assert {line.difference for line in lines_of(dream)} == {None}
    assert "1092 ± 556" in (write_sweep(dream).parent / "table.md").read_text()
    assert "another task" in (dream.folder / "table.md").read_text()


def test_a_v_only_row_that_was_not_run_says_how_to(whole: Sweep, capsys: pytest.CaptureFixture[str]) -> None:
    [line] = [line for line in lines_of(whole) if line.kind == "not run"]
    assert line.note == "not run: wmframe run -m ablation=senses preset=quick tracker=none"
    assert main(["plan", *line.note.split()[4:], "seed=1"]) == 0
    assert "controller.1" in capsys.readouterr().out


def test_failed_and_missing_jobs_are_in_the_table_with_their_cause(tmp_path: Path) -> None:
    outcomes: list[Mapping[str, Any] | str] = [scores(1.0), "ValueError: boom", "stopped", scores(2.0), "waiting"]
    sweep = make_sweep(tmp_path, ["world.temperature=0.5,1", "seed=1,2,3"], outcomes)
    half, one = lines_of(sweep)[:2]
    assert half.note == "job 2 failed: ValueError: boom; job 3 stopped"
    assert one.note == "jobs 5, 6 waiting"
    write_sweep(sweep)
    for name in FILES[:3]:
        assert "ValueError: boom" in (sweep.folder / name).read_text(), name
    assert "2 of 6 training runs" in (sweep.folder / "report.html").read_text()


def test_a_run_that_is_gone_damaged_or_without_a_score_is_missing(tmp_path: Path) -> None:
    no_number = {"reality": {"returns": [float("inf")], "lengths": [1]}}
    sweep = make_sweep(tmp_path, ["seed=1,2,3,4"], [scores(1.0), scores(1.0), {}, scores(1.0)])
    runs = {job.number: sweep.root / "runs" / job.run for job in sweep.jobs()}
    shutil.rmtree(runs[1])
    (runs[2] / "run.json").write_text("{")
    plain = {name: value for name, value in read_json(runs[4] / "run.json").items() if name != "checksum"}
    (runs[4] / "run.json").write_text(json.dumps({**plain, "scores": no_number}).replace("Infinity", "1e999"))
    [line] = [line for line in lines_of(sweep) if line.labels == ["all runs"]]
    assert line.runs == ()
    for cause in ("there is no such file", "damaged or not JSON", "no score and no metrics", "a finite number"):
        assert cause in line.note


def test_a_sweep_that_has_only_begun_has_a_table_too(tmp_path: Path) -> None:
    sweep = make_sweep(tmp_path, ["world.temperature=0.5,1"], [])
    html = write_sweep(sweep).read_text()
    assert "none has a score yet" in html
    assert [line.note for line in lines_of(sweep)][-1] == "no run has finished"


def test_another_environment_has_its_own_random_policy(tmp_path: Path) -> None:
    other = {**scores(2.0), "random": {"returns": [7.0] * 4, "lengths": [1] * 4}}
    sweep = make_sweep(tmp_path, ["env.action_repeat=1,4"], [scores(1.0), other])
    lines = [line for line in lines_of(sweep) if line.kind == "random"]
    assert [line.labels[0] for line in lines] == ["random policy (1 of 2)", "random policy (2 of 2)"]
    assert lines[1].mean == 7.0


def test_the_same_runs_give_the_same_bytes(whole: Sweep) -> None:
    write_sweep(whole)
    first = {name: (whole.folder / name).read_bytes() for name in FILES}
    for name in FILES:
        (whole.folder / name).unlink()
    write_sweep(whole)
    assert [name for name in FILES if (whole.folder / name).read_bytes() != first[name]] == []


def test_a_row_does_not_depend_on_the_rows_before_it(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    outcomes = [scores(chance.normal(300, 100)) for _ in range(16)]
    seeds = f"seed={','.join(map(str, range(8)))}"
    two = make_sweep(tmp_path / "two", ["world.temperature=0.5,1.15", seeds], outcomes)
    one = make_sweep(tmp_path / "one", ["world.temperature=1.15", seeds], outcomes[8:])
    assert lines_of(one)[0].interval == lines_of(two)[1].interval is not None


def test_hostile_text_is_text_in_every_format(tmp_path: Path) -> None:
    sweep = make_sweep(tmp_path, ["name=a", "seed=1,2"], [scores(1.0), HOSTILE])
    plain = read_json(sweep.folder / "sweep.json")
    plain["jobs"] = [[HOSTILE, "seed=1"], [f"-{HOSTILE}", "seed=2"]]
    write_json(sweep.folder / "sweep.json", {**plain, "command": HOSTILE, "name": HOSTILE})
    html = write_sweep(sweep).read_text()
    reader = read(html)
    assert reader.open == []
    assert "script" not in {tag for tag, _ in reader.tags}
    assert "".join(reader.words).count(HOSTILE) >= 3
    cells = [cell for row in csv.reader(io.StringIO((sweep.folder / "table.csv").read_text())) for cell in row]
    assert [cell for cell in cells if re.match(r"[=+@]|-(?![\d.]+$)", cell)] == []
    tex = "\n".join(line for line in (sweep.folder / "table.tex").read_text().splitlines() if not line.startswith("%"))
    bare = re.sub(r"\\[&%$#_{}]", "", tex)
    assert bare.count("{") == bare.count("}")
    assert "_" not in bare.replace(r"\textasciicircum", "")
    assert "%" not in bare
    rows = [row for row in bare.splitlines() if row.endswith(r"\\")]
    assert len(rows) == 5
    assert len({row.count("&") for row in rows}) == 1


def test_numbers_in_csv_stay_numbers(whole: Sweep) -> None:
    rows = records(whole)
    assert float(rows[0]["mean_awake"]) == pytest.approx(300)
    assert float(rows[-1]["mean_awake"]) == pytest.approx(-50)
    assert json.loads(rows[0]["run_means"]) == pytest.approx([100, 200, 300, 400, 500])
    assert rows[0]["world.temperature"] == "0.5"


def test_a_record_that_is_none_is_a_users_error(tmp_path: Path) -> None:
    sweep = make_sweep(tmp_path, ["seed=1"], [])
    write_json(sweep.folder / "sweep.json", {**read_json(sweep.folder / "sweep.json"), "ablation": {"titel": "x"}})
    with pytest.raises(UserError, match=r"sweep\.json: titel=x: there is no such key\. Did you mean title"):
        write_sweep(sweep)


def test_the_command_writes_a_real_sweep_whose_run_page_the_table_links_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = make_sweep(tmp_path, [*SMOKE, "seed=0,1"], ["waiting", "RuntimeError: no"])
    real = run(*SMOKE, root=tmp_path)
    write_job(sweep, 1, sweep.record().jobs[0], "waiting")
    job = {"number": 1, "overrides": [], "state": "finished", "run": real.name, "error": "", "seconds": 2.0}
    write_json(sweep.folder / "jobs" / "0001.json", job)
    capsys.readouterr()
    assert main(["report", "--sweep", sweep.folder.name, f"root={tmp_path}"]) == 0
    page = sweep.folder / "report.html"
    assert capsys.readouterr().out == f"page: {page}\n"
    links = [a["href"] for tag, a in read(page.read_text()).tags if tag == "a" and a["href"] is not None]
    assert all((page.parent / link).resolve().is_file() for link in links)
    assert any(real.name in link for link in links)
    [line] = [line for line in lines_of(sweep) if line.runs]
    kept = read_json(real / "run.json")["scores"]
    assert line.mean == pytest.approx(np.mean(kept["reality"]["returns"]))
    assert line.note == "job 2 failed: RuntimeError: no"
    assert main(["report", f"--sweep={sweep.folder}"]) == 0
    assert main(["report", "--sweep", "maed", f"root={tmp_path}"]) == 2
    assert f"The nearest: {sweep.folder.name}" in capsys.readouterr().err


def test_scores_of_any_name_are_rows_and_a_score_awake_has_metrics_beside_it(tmp_path: Path) -> None:
    hard = [{"hard": {"returns": [float(n)] * 4, "lengths": [1] * 4}} for n in range(4)]
    sweep = make_sweep(tmp_path / "other", ["world.temperature=0.5,1", "seed=1,2"], hard)
    assert table(sweep).keys == ["world.temperature", "quantity"]
    assert [(line.labels, line.means, line.mean) for line in lines_of(sweep)] == [
        (["0.5", "hard"], [0.0, 1.0], 0.5),
        (["1", "hard"], [2.0, 3.0], 2.5),
    ]
    assert "2 configurations, 4 training runs." in write_sweep(sweep).read_text()

    both = make_sweep(tmp_path / "both", ["seed=1,2"], [scores(100.0), scores(300.0)])
    for job, bias in zip(both.jobs(), (0.25, 0.75), strict=True):
        run_of = both.run_of(job)
        assert run_of is not None
        run_of.write(replace(run_of.record(), metrics={"memory.1/bias": bias}))
    awake, v_only, random, bias_line = lines_of(both)
    assert awake.labels == ["all runs", "return awake"]
    assert awake.mean == pytest.approx(200)
    assert [line.labels[0] for line in (v_only, random)] == ["V only", "random policy"]
    assert (bias_line.labels, bias_line.mean) == (["all runs", "memory.1/bias"], 0.5)
    read_back = records(both)
    assert [row["quantity"] for row in read_back] == ["return awake"] * 3 + ["memory.1/bias"]
    assert json.loads(read_back[-1]["run_means"]) == [0.25, 0.75]
    assert "The highest mean awake, 200, is that of" not in (both.folder / "report.html").read_text()
    assert "The highest mean awake, 200" in (both.folder / "report.html").read_text()
