"""What the README tells people to type works as it says."""

import re
import shlex
from pathlib import Path

import pytest

from wmframe.cli.main import COMMANDS, main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)


def _commands() -> list[str]:
    """Every `wmframe …` line of a shell block, and every one within a sentence."""
    lines = [line for language, block in BLOCKS if language == "sh" for line in block.splitlines()]
    prose = re.sub(r"```.*?```", "", README, flags=re.DOTALL)
    said = [line.partition("#")[0].strip() for line in lines] + re.findall(r"`(wmframe [^`]*)`", prose)
    return sorted({command for command in said if command.startswith("wmframe ")})


RUNS = [command for command in _commands() if command.startswith("wmframe run ") and not re.search("my_|…", command)]


def test_there_is_something_to_try() -> None:
    assert len(RUNS) > 8


@pytest.mark.parametrize("command", RUNS)
def test_every_run_can_be_planned(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Composed, bound and laid out as stages: all of `run` but the hours."""
    monkeypatch.chdir(tmp_path)
    assert main(["plan", *shlex.split(command)[2:]]) == 0
    assert "will run" in capsys.readouterr().out


@pytest.mark.parametrize("command", _commands())
def test_every_command_is_one(command: str) -> None:
    assert shlex.split(command)[1] in COMMANDS


def test_the_mistake_is_answered_as_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    [(typed, answer)] = [block.split("\n", 1) for language, block in BLOCKS if language == "console"]
    assert main(shlex.split(typed.removeprefix("$ "))[1:]) == 2
    assert capsys.readouterr().err == answer


@pytest.mark.parametrize("target", sorted(set(re.findall(r"make (\w+)", README))))
def test_every_make_target_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^):#]+)\)", README))))
def test_every_link_leads_somewhere(link: str) -> None:
    assert (ROOT / link).exists()
