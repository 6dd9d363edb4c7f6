"""A `wmframe run` that composes and binds the real conf/ and stops there: mistakes can be made by the dozen."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from wmframe.cli.main import main

DRY_RUN = '''
"""A stand-in for the real command, as far as the config goes."""

HELP = "Compose and bind.\\n\\n  wmframe run preset=smoke"


def execute(arguments: list[str]) -> int:
    from wmframe.cli.overrides import parse
    from wmframe.cli.prepare import prepare

    print(len(prepare(parse(arguments))))
    return 0
'''


@dataclass(frozen=True)
class Answer:
    """What a command ended with."""

    code: int
    out: str
    err: str


Wmframe = Callable[..., Answer]


@pytest.fixture
def wmframe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Wmframe]:
    """Run `wmframe ...` in this process, with `run` replaced by one that only prepares."""
    package = tmp_path / "dry_commands"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "run.py").write_text(DRY_RUN)
    monkeypatch.syspath_prepend(tmp_path)

    def run(*arguments: str) -> Answer:
        code = main(arguments, package="dry_commands")
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    yield run
    for name in [m for m in sys.modules if m.partition(".")[0] == "dry_commands"]:
        del sys.modules[name]
