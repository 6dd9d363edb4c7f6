"""Agents that travel: exported, taken elsewhere, scored there to the last digit."""

import json
import shutil
from pathlib import Path

import pytest

from tests.runs import SMOKE, hashes, record, run
from wmframe.agents import zoo
from wmframe.agents.find import find_run
from wmframe.cli.main import main
from wmframe.engine.errors import UserError


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    run(*SMOKE, root=root)
    return root


@pytest.fixture
def entry(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The run's agent as `zoo/walker`, and an empty project to use it in."""
    monkeypatch.setattr(zoo, "_SHIPPED", tmp_path / "zoo")
    assert main(["export", "latest", f"root={project}", f"to={tmp_path / 'zoo' / 'walker'}"]) == 0
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "zoo" / "walker"


def test_what_is_exported_is_the_agent_and_its_scores_and_no_more(project: Path, entry: Path) -> None:
    assert {name.partition("/")[0] for name in hashes(entry)} == {"agent", "baseline", "evaluate"}
    exported = find_run("latest", runs=entry / "runs")
    assert record(exported.folder)["scores"] == record(find_run("latest", runs=project / "runs").folder)["scores"]
    assert [stage.stage for stage in exported.record().stages] == ["agent", "baseline", "evaluate"]


def test_a_shipped_agent_scores_elsewhere_what_it_scored_here(entry: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(entry / "artefacts" / "evaluate")  # so that it has to drive again
    assert main(["evaluate", "zoo/walker", "episodes=4"]) == 0
    assert "n=4" in capsys.readouterr().out
    folder = find_run("zoo/walker").folder
    assert folder.parent == Path.cwd() / "runs"
    [scores] = Path("artefacts/evaluate").glob("*/scores.json")
    assert json.loads(scores.read_text())["scores"]["reality"] == record(folder)["scores"]["reality"]


def test_its_page_and_its_film_need_nothing_else(entry: Path) -> None:
    assert main(["report", "zoo/walker"]) == 0
    assert main(["watch", "zoo/walker", "steps=5", "world=dream"]) == 0
    folder = find_run("zoo/walker").folder
    page = (folder / "report.html").read_text()
    assert "Round 1 learned from" in page
    assert page.count("data:image") > 3
    assert (folder / "dream-0.webp").is_file()
    assert not list(entry.rglob("report.html")), "what is shipped stays as it is"


@pytest.mark.parametrize(
    ("named", "said"), [("zoo/waker", "zoo/walker"), ("zoo/../x", "no such agent"), ("zoo/", "no such")]
)
def test_an_agent_that_is_not_shipped(entry: Path, named: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        find_run(named)


def test_nothing_is_written_over(project: Path, entry: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "latest", f"root={project}", f"to={entry}"]) == 2
    assert "stands there already" in capsys.readouterr().err
