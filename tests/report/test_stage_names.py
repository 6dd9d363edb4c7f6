"""What shows any recipe's runs knows no stage by its name: it goes by what stages publish, and by roles of parents.

Figures of world models may know theirs: `drawings`, `histories`, `gather`, `senses`, `curves.js`, `lineage.js`.
"""

import ast
from pathlib import Path

import pytest

from tests.test_floors import ROOT
from wmframe.engine.graph.stage import declaration
from wmframe.stages.declared import STAGES

WMFRAME = ROOT / "wmframe"
REPORT = ("backends", "contents", "page", "publish", "round_films", "scoreboard", "story", "sweep*", "strips", "thin")
COMMANDS_ABOUT_AGENTS = {"evaluate.py", "main.py", "watch.py", "export.py"}
MODULES = [
    *(path for path in sorted((WMFRAME / "cli").glob("*.py")) if path.name not in COMMANDS_ABOUT_AGENTS),
    *(path for name in REPORT for path in sorted((WMFRAME / "report").glob(f"{name}.py"))),
    *sorted((WMFRAME / "dashboard").glob("*.py")),
    *sorted((ROOT / "hydra_plugins").rglob("*.py")),
    *sorted((WMFRAME / "engine").rglob("*.py")),
]
PUBLISHED = {"agent"}
"""A stage that is called as what it publishes: who looks for that means the role."""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_stage_is_known_by_its_name(path: Path) -> None:
    names = {declaration(stage).name for stage in STAGES} - PUBLISHED
    strings = [node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)]
    assert not names & {value for value in strings if isinstance(value, str)}
