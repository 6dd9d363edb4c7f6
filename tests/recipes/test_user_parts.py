"""A third kind of world or of search is one file and one YAML: planned, refused, run, scored and dreamt as ours are."""

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from tests.runs import SMOKE, record, run, states
from wmframe.agents.agent import load_agent
from wmframe.cli.main import main
from wmframe.cli.overrides import parse
from wmframe.cli.prepare import prepare
from wmframe.data.seeds import draw_seeds
from wmframe.engine.config import user_code
from wmframe.engine.graph.node import Node
from wmframe.engine.graph.recipe import nodes_of
from wmframe.engine.runs.runs import Run
from wmframe.stages.models import load_controller
from wmframe.worlds.rollout import rollout

ROOT = Path(__file__).parents[2]
PLUGINS = ROOT / "tests" / "plugins"
TOY = ("experiment=toy", *SMOKE[1:], "search.check_every=1")

Words = Callable[..., tuple[str, ...]]
"""The words that allow a module of the user's own and find its YAML, ahead of others."""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Words]:
    """The plugins, as a user has them: in a folder of their own."""
    shutil.copytree(PLUGINS, tmp_path / "mine")
    monkeypatch.syspath_prepend(str(tmp_path / "mine"))
    for file in PLUGINS.glob("*.py"):
        monkeypatch.delitem(sys.modules, file.stem, raising=False)
    conf = str(tmp_path / "mine" / "conf")
    yield lambda module, *words: ("--allow", module, "--config-dir", conf, *TOY, *words)
    user_code.release()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One project, so that V and M are fitted once."""
    return tmp_path_factory.mktemp("project")


def planned(words: tuple[str, ...]) -> dict[str, Node]:
    [job] = prepare(parse(words))
    return {node.name: node for node in nodes_of(job.experiment, allowed=("wmframe", words[1]))}


def trained(folder: Path) -> Path:
    """Where the C of a run lies."""
    [key] = [str(stage["key"]) for stage in record(folder)["stages"] if stage["name"] == "controller.1"]
    return folder.resolve().parents[1] / "artefacts" / "controller" / key


def curve(folder: Path, name: str) -> list[float]:
    rows = [json.loads(line) for line in (trained(folder) / "history.jsonl").read_text().splitlines()]
    return [row[f"controller/{name}"] for row in rows]


def found(folder: Path) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads((trained(folder) / "search.json").read_text())
    return plain


def refused(words: tuple[str, ...], root: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What a run says that ends before any work."""
    assert main(["run", *words, f"paths.root={root}"]) == 2
    assert not list(root.glob("artefacts/*"))
    return capsys.readouterr().err


def test_settings_are_read_while_planning_and_import_nothing_heavy() -> None:
    code = (
        "import sys, wmframe.worlds.settings, wmframe.search.settings; "
        "assert not {'torch', 'nevergrad'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_nobody_asks_of_what_kind_a_world_or_a_search_is() -> None:
    kinds = {"DreamSettings", "RealitySettings", "GradientSearch", "Search"}
    for file in (ROOT / "wmframe").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance":
                assert not kinds & set(re.findall(r"\w+", ast.unparse(node.args[1]))), f"{file}:{node.lineno}"


def test_c_learns_and_is_scored_and_dreams_in_a_dream_of_ones_own(root: Path, own: Words) -> None:
    one = "search.generations=1"
    plain = run(*TOY, one, root=root)
    negated = run(*own("negated_dream", "world=negated", one), root=root)
    assert [-fitness for fitness in curve(negated, "fitness_mean")] == curve(plain, "fitness_mean") != [0.0]
    agent = load_agent(Run(negated), allowed=("wmframe", "negated_dream"))
    earned = rollout(agent.dream(), agent.driver.act(), record(negated)["seeds"]).returns.tolist()
    assert earned == record(negated)["scores"]["dream"]["returns"]
    assert type(agent.dream(horizon=3)).__name__ == "NegatedDream"
    assert rollout(agent.dream(horizon=3), agent.driver.act(), [0]).lengths.tolist() == [3]


def test_a_dream_that_says_it_has_no_gradient_is_not_climbed(
    tmp_path: Path, own: Words, capsys: pytest.CaptureFixture[str]
) -> None:
    words = own("negated_dream", "world=negated", "search=gradient")
    assert "NegatedDreams has no gradient to climb" in refused(words, tmp_path, capsys)


def test_what_a_dream_asks_of_m_is_asked_of_one_s_own_too(
    tmp_path: Path, own: Words, capsys: pytest.CaptureFixture[str]
) -> None:
    words = own("negated_dream", "world=negated", "world.bootstrap=true")
    assert "this M expects nothing" in refused(words, tmp_path, capsys)


def test_a_world_without_m_and_without_an_environment(root: Path, own: Words) -> None:
    words = own("tiny_world", "world=tiny", "world.steps=3", "search.generations=8")
    assert "env" not in planned(words)["controller.1"].request.config
    folder = run(*words, root=root)
    parameters = _parameters(trained(folder))
    seen = _seen(4)
    earned = -3 * np.square(np.tanh(parameters[0] * seen + parameters[-1]) - seen).mean()
    assert found(folder)["select_return"] == pytest.approx(earned, rel=1e-4)
    assert earned > -3 * np.square(seen).mean(), "it has learned nothing"
    assert set(record(folder)["scores"]) == {"reality", "random"}


def test_reality_of_one_s_own_is_given_the_environment(root: Path, own: Words) -> None:
    words = own("thrifty_reality", "world=thrifty", "search.generations=1", "world.most_steps=9")
    node = planned(words)["controller.1"]
    assert "env" in node.request.config
    assert [module.name for module in node.code.values()] == ["thrifty_reality"]
    free, dear = (run(*words, f"world.price={price}", root=root) for price in (0, 1))
    awake = run(*TOY, "world=reality", "search.generations=1", "world.most_steps=9", root=root)
    assert curve(free, "fitness_mean") == curve(awake, "fitness_mean")
    assert curve(dear, "fitness_mean") < curve(free, "fitness_mean")
    assert "dream" not in record(dear)["scores"]
    assert "C was searched for awake on 180 environment frames" in (dear / "report.html").read_text()


def test_a_search_of_one_s_own_finds_the_best_of_what_it_drew(root: Path, own: Words) -> None:
    words = own("random_search", "search=random_search", "search.draws=7")
    first = run(*words, root=root)
    scores = curve(first, "select_return")
    assert len(scores) == 8
    assert found(first) == {"select_return": max(scores), "generation": int(np.argmax(scores))}
    assert set(states(run(*words, root=root)).values()) == {"cached"}
    more = run(*words, "search.draws=9", root=root)
    assert curve(more, "select_return")[:8] == pytest.approx(scores)


def test_a_search_of_one_s_own_in_a_world_of_one_s_own(root: Path, own: Words) -> None:
    words = ("--allow", "tiny_world", *own("random_search", "search=random_search", "world=tiny"))
    scores = curve(run(*words, root=root), "select_return")
    assert scores[0] == pytest.approx(-5 * np.square(_seen(4)).mean(), rel=1e-5)


def _seen(rollouts: int) -> npt.NDArray[np.float64]:
    """What C sees first in the tiny world on select seeds."""
    return np.array([seed % 19 / 10 - 0.9 for seed in draw_seeds("select", (0, "search"), rollouts)])


def _parameters(folder: Path) -> npt.NDArray[np.float64]:
    _, parameters = load_controller(folder, allowed=("wmframe",), device=torch.device("cpu"))
    return parameters.double().numpy()
