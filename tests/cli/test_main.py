import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from wmframe import __version__
from wmframe.cli.main import COMMANDS, load_command, main
from wmframe.engine.config.shipped import conf_dir

COMMAND = """
HELP = "Summary.\\n\\n  wmframe {name} now"


def execute(arguments: list[str]) -> int:
    from wmframe.engine.errors import UserError

    match arguments:
        case ["bad"]:
            raise UserError("that was bad")
        case ["unfinished"]:
            raise UserError("could not finish", exit_code=1)
        case ["stop"]:
            raise KeyboardInterrupt
        case ["swallow"]:
            import signal

            try:
                signal.raise_signal(signal.SIGTERM)
            except BaseException:
                raise ValueError("a library tripped")
        case ["bug"]:
            raise RuntimeError("surprise")
        case ["pipe"]:
            raise BrokenPipeError
        case ["many"]:
            for _ in range(100_000):
                print("line")
    return 0
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package of stand-in commands."""
    folder = tmp_path / "stand_ins"
    folder.mkdir()
    (folder / "__init__.py").touch()
    for name in COMMANDS:
        (folder / f"{name}.py").write_text(COMMAND.replace("{name}", name))
    monkeypatch.syspath_prepend(tmp_path)
    return "stand_ins"


def test_alone_it_shows_ten_lines_to_start_with(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    text = capsys.readouterr().out
    assert len(text.splitlines()) <= 10
    assert "wmframe run" in text


@pytest.mark.parametrize("flag", ["--help", "-h", "help"])
def test_help_lists_all_commands(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([flag]) == 0
    text = capsys.readouterr().out
    for name, summary in COMMANDS.items():
        assert f"  {name} " in text
        assert summary in text


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"wmframe {__version__}\n"


def test_help_of_a_command(package: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", "runs/latest", "--help"], package=package) == 0
    assert capsys.readouterr().out == "Summary.\n\n  wmframe watch now\n"


@pytest.mark.parametrize(
    ("argument", "code", "message"),
    [
        ("fine", 0, ""),
        ("bad", 2, "wmframe: that was bad\n"),
        ("unfinished", 1, "wmframe: could not finish\n"),
        (
            "stop",
            130,
            "wmframe: stopped by Ctrl-C; what was done is kept, and the same command goes on from there:\n"
            "  wmframe run stop\n",
        ),
        (
            "swallow",
            143,
            "wmframe: stopped by SIGTERM; what was done is kept, and the same command goes on from there:\n"
            "  wmframe run swallow\n",
        ),
        ("pipe", 141, ""),
    ],
)
def test_endings(package: str, capfd: pytest.CaptureFixture[str], argument: str, code: int, message: str) -> None:
    with os.fdopen(os.dup(1), "w"):  # `pipe` points standard output elsewhere: keep the test's own
        saved = os.dup(1)
        assert main(["run", argument], package=package) == code
        os.dup2(saved, 1)
        os.close(saved)
    assert capfd.readouterr().err == message


def test_a_bug_keeps_its_traceback(package: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "bug"], package=package) == 1
    text = capsys.readouterr().err
    assert "Traceback" in text
    assert "RuntimeError: surprise" in text
    assert "report it" in text


def test_a_closed_pipe_is_met_in_silence(package: str, tmp_path: Path) -> None:
    script = "from wmframe.cli.main import main; raise SystemExit(main(['run', 'many'], package='stand_ins'))"
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_help_of_run_offers_every_choice(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--help"]) == 0
    said = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line.startswith("  ")}
    for file in conf_dir().glob("*/*.yaml"):
        assert file.stem in said[file.parent.name].replace(",", "").split()


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], [], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    if arguments[:1] == ["run"] and importlib.util.find_spec("wmframe.cli.run") is None:
        pytest.skip("the command does not stand yet")
    script = (
        "import sys\nfrom wmframe.cli.main import main\nassert main(sys.argv[1:]) == 0\n"
        "heavy = {'torch', 'hydra', 'gymnasium', 'numpy', 'pydantic', 'omegaconf'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_module_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "wmframe", "--version"], capture_output=True, check=True)
    assert done.stdout.decode() == f"wmframe {__version__}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_overview_says_what_the_command_says(name: str) -> None:
    if importlib.util.find_spec(f"wmframe.cli.{name}") is None:
        pytest.skip("the command does not stand yet")
    command = load_command(name)
    assert command.help.splitlines()[0] == COMMANDS[name]
    assert f"wmframe {name}" in command.help
