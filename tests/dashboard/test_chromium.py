"""The page in a real browser, over the real server: what it shows, and that it asks nobody else for anything."""

import re
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlencode

import pytest
from PIL import Image

from tests.dashboard.project import HOSTILE, write_many, write_run, write_sweep
from tests.dashboard.serving import serving
from tests.report.examples import contents
from tests.report.reader import read
from tests.report.test_chromium import CHROMIUM, Visit, chromium, visit
from wmframe.dashboard.server import Server
from wmframe.engine.runs.runs import Run
from wmframe.engine.runs.sweeps import JobRecord
from wmframe.report.page import write

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH (apt-get install chromium)")

FAILED = JobRecord(number=19, overrides=("seed=-1",), state="failed", error="UserError: seed=-1: 0 or more")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("chromium")


@pytest.fixture(scope="module")
def thirty(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    root = tmp_path_factory.mktemp("thirty")
    runs = write_many(root, 30)
    write_sweep(root, runs[:18], [FAILED])
    for run in runs[:2]:
        write(contents(), run.folder / "report.html")
    return runs


@pytest.fixture(scope="module")
def server(thirty: list[Run]) -> Iterator[Server]:
    with serving(thirty[0].root) as running:
        yield running


def look(server: Server, folder: Path, **asked: str | list[str]) -> Visit:
    """Open the page as a bookmark would; whatever it shows, it complains of nothing and asks nobody else."""
    seen = visit(f"{server.url}#{urlencode(asked, doseq=True)}", folder)
    assert seen.console == []
    assert seen.requests
    assert [each for each in seen.requests if not each.startswith((server.url, "data:"))] == []
    return seen


def shown(seen: Visit) -> list[str]:
    return re.findall(r'<tr class="run[^"]*" data-run="([^"]*)"', seen.dom)


@pytest.mark.parametrize("count", [1, 30, pytest.param(500, marks=pytest.mark.slow)])
def test_every_run_is_a_row(count: int, folder: Path, tmp_path: Path) -> None:
    runs = write_many(tmp_path, count)
    with serving(tmp_path) as server:
        seen = look(server, folder)
    assert sorted(shown(seen)) == sorted(run.name for run in runs)
    assert f"{count} run" in seen.dom
    assert seen.dom.count('<figure class="chart">') == 5
    assert seen.dom.count('class="line line-0 dash-0"') >= 5


def test_a_project_without_runs_says_what_to_type(folder: Path, tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        assert "The first: wmframe run" in look(server, folder).dom


def test_sweeps_stand_as_groups_with_the_jobs_that_have_no_run(server: Server, folder: Path) -> None:
    dom = look(server, folder).dom
    assert "19 jobs: 1 failed" in dom
    assert "runs of no sweep" in dom
    assert "UserError: seed=-1: 0 or more" in dom


def test_the_filter_takes_words_and_keys(server: Server, folder: Path, thirty: list[Run]) -> None:
    wanted = {
        run.name for run in thirty if {"memory.mixtures=5", "world.temperature=1.5"} <= set(run.record().overrides)
    }
    seen = look(server, folder, filter="mixtures=5 temperature>1 state!=failed", group="none")
    assert set(shown(seen)) == wanted
    assert f"{len(wanted)} of 30 runs" in seen.dom
    assert shown(look(server, folder, filter=thirty[7].name, group="none")) == [thirty[7].name]
    assert "No run has a key “mixturs”." in look(server, folder, filter="mixturs=5", group="none").dom


def test_the_table_sorts_by_any_column_with_the_missing_last(server: Server, folder: Path, thirty: list[Run]) -> None:
    def awake(run: Run) -> float:
        returns = run.record().scores["reality"]["returns"]
        return float(sum(returns) / len(returns))

    scored = [run for run in thirty if run.record().scores]
    failed = [run.name for run in thirty if not run.record().scores]
    up, down = (shown(look(server, folder, sort=f"awake,{way}", group="none")) for way in ("up", "down"))
    assert up == [run.name for run in sorted(scored, key=awake)] + failed
    assert down == [run.name for run in sorted(scored, key=awake, reverse=True)] + failed


def test_configs_are_compared_with_equal_keys_left_out(server: Server, folder: Path, thirty: list[Run]) -> None:
    dom = look(server, folder, tab="configs", runs=[thirty[0].name, thirty[1].name]).dom
    assert re.findall(r'<th scope="row"><code>([^<]*)</code></th><td>([^<]*)</td><td>([^<]*)', dom) == [
        ("world.temperature", "0.5", "1.0")
    ]
    assert "1 key differs" in dom


def test_curves_of_the_chosen_runs_lie_over_one_another(server: Server, folder: Path, thirty: list[Run]) -> None:
    names = [run.name for run in thirty[:7]]
    dom = look(server, folder, runs=names, logy="").dom
    for style in [*(f"line-{slot} dash-0" for slot in range(6)), "line-0 dash-1"]:
        assert dom.count(f'class="line {style}"') >= 5  # charts
    assert "7 runs, 1 different line: the others share a result." in dom


def test_pictures_and_lineage_of_the_chosen_runs(server: Server, folder: Path, thirty: list[Run]) -> None:
    names = [run.name for run in thirty[:2]]
    dom = look(server, folder, tab="gallery", runs=names).dom
    pictures = (thirty[0].folder / "report.html").read_text().count("<img ")
    assert dom.count('<img src="data:image/') == 2 * pictures
    dom = look(server, folder, tab="lineage", runs=names).dom
    assert re.findall(r'class="node \w+" data-name="([^"]*)"', dom) == [s.name for s in thirty[0].record().stages]
    assert dom.count('class="edge"') == 13


def test_scores_are_drawn_over_the_dream_or_any_key(server: Server, folder: Path, thirty: list[Run]) -> None:
    scored = sum(bool(run.record().scores) for run in thirty)
    for x in ("dream", "memory.mixtures", "world.temperature"):
        dom = look(server, folder, tab="scores", x=x).dom
        assert dom.count('role="checkbox"') == scored
        assert f"n = {scored}" in dom


def test_what_stages_measured_has_columns_and_a_scatter_of_its_own(folder: Path, tmp_path: Path) -> None:
    for number in range(4):
        run = write_run(tmp_path, world_temperature=0.5 + number)
        run.write(replace(run.record(), scores={}, metrics={"estimate/mean": 0.25 * number, "fit_2/bias": 1e-5}))
    with serving(tmp_path) as server:
        seen = look(server, folder, tab="scores", group="none", filter="mean>0.3", sort="estimate/mean,down")
    assert re.findall(r'data-key="([^"]*)"', seen.dom)[:3] == ["run", "estimate/mean", "fit_2/bias"]
    assert "awake" not in re.sub(r"<input[^>]*>", "", seen.dom)
    assert re.findall(r'<td class="n">(0\.\d+)</td>', seen.dom) == ["0.75", "0.5"]
    assert seen.dom.count("1.00e−5") == 2
    assert seen.dom.count('role="checkbox"') == 2
    assert "estimate/mean 0.5, world.temperature 2.5" in seen.dom


READER = """
const press = (element, key) => element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
document.querySelectorAll("tr.run")[4].click();
document.querySelector("thead [data-key=awake]").click();
document.querySelector("#tabs [aria-selected=true]").focus();
press(document.activeElement, "ArrowRight");
press(document.activeElement, "ArrowLeft");
document.body.dataset.address = location.hash;
setTimeout(() => {  // the second run's curves are there
  document.querySelector(".chart button").click();
  press(document.querySelector(".plot"), "ArrowRight");
  press(document.querySelector(".plot"), "ArrowRight");
}, 800);
"""


def test_a_reader_chooses_sorts_and_reads_values_by_keyboard(folder: Path, thirty: list[Run]) -> None:
    with serving(thirty[0].root, script=READER) as server:
        seen = look(server, folder, runs=thirty[0].name, group="none")
    [address] = re.findall(r'data-address="([^"]*)"', seen.dom)
    assert address.count("runs=") == 2
    assert "sort=awake%2Cdown" in address
    assert re.search(r'<th[^>]*aria-sort="descending"[^>]*><button[^>]*data-key="awake"', seen.dom)
    assert re.search(r'<button[^>]*id="tab-curves"[^>]*aria-selected="true"', seen.dom)
    assert '<figure class="chart wide">' in seen.dom
    tip = re.search(r'<div class="tip" role="status"><b>(\d+)</b><ul>(.*?)</ul>', seen.dom)
    assert tip is not None
    assert tip[1] == "2"  # the second step
    assert tip[2].count("<li>") == 4  # two runs, held out and fitted on


def test_hostile_runs_are_words_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    run = write_run(tmp_path)
    config = (run.folder / "config.yaml").read_text().partition("\n")[2]  # without its checksum
    (run.folder / "config.yaml").write_text(f"{config}\n'{HOSTILE.replace(chr(39), chr(39) * 2)}': '<b>'\n")
    hostile = replace(run.record(), overrides=(HOSTILE,), command=HOSTILE, error=HOSTILE, started=HOSTILE)
    run.write(replace(hostile, state="failed"))
    write(contents(), run.folder / "report.html")
    run.folder.rename(run.folder.with_name(HOSTILE.replace("/", "_")))
    write_run(tmp_path, memory_mixtures=5)
    sweep = write_sweep(tmp_path, [])
    (sweep / "sweep.json").write_text('{"name": "<script>alert(2)</script>", "command": "", "started": "", "jobs": []}')
    with serving(tmp_path) as server:
        for tab in ("curves", "scores", "configs", "gallery", "lineage"):
            seen = look(server, folder, tab=tab)
            tags = read(seen.dom).tags
            assert [tag for tag, _ in tags if tag == "script"] == ["script"]
            assert [name for _, given in tags for name in given if name.startswith("on")] == []
            assert [given for tag, given in tags if tag == "img" and given.get("src") == "x"] == []
            assert "onerror=alert(1)" in "".join(read(seen.dom).words)


def test_a_hostile_page_of_a_run_runs_nothing_and_asks_nobody(folder: Path, tmp_path: Path) -> None:
    run = write_run(tmp_path)
    intruder = '<img src="http://intruder.invalid/x.png"><script>console.error("ran")</script>'
    (run.folder / "report.html").write_text(f"<h1>page</h1>{intruder}<script src='/app.js'></script>")
    with serving(tmp_path) as server:
        seen = visit(f"{server.url}runs/{run.name}/report.html", folder)
        assert seen.requests == []
    assert "<h1>page</h1>" in seen.dom
    assert seen.console
    assert not any("ran" in line.split("CONSOLE")[1].split(",")[0].split() for line in seen.console)


def screenshot(server: Server, folder: Path, *flags: str) -> Image.Image:
    path = folder / "page.png"
    chromium(folder, *flags, "--virtual-time-budget=3000", f"--screenshot={path}", server.url)
    with Image.open(path) as picture:
        return picture.convert("RGB")


def test_the_page_follows_the_readers_colours_which_are_those_of_the_reports(server: Server, folder: Path) -> None:
    assert screenshot(server, folder).getpixel((3, 3)) == (0xFC, 0xFC, 0xFA)
    dark = screenshot(server, folder, "--blink-settings=preferredColorScheme=0")
    assert dark.getpixel((3, 3)) == (0x14, 0x15, 0x18)
    ours = files("wmframe.dashboard").joinpath("site/style.css").read_text()
    theirs = files("wmframe.report").joinpath("page.css").read_text()
    assert ours.partition("*, *")[0] == theirs.partition("*, *")[0]
