"""The dashboard as a user starts and ends it."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.dashboard.project import write_run
from wmframe.cli.main import main


def test_it_says_where_it_is_and_goes_when_asked_to(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-m", "wmframe", "dashboard", "--port", "0", f"--root={tmp_path}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        found = re.fullmatch(r"dashboard: (http://127\.0\.0\.1:\d+/)  \(Ctrl-C ends it\)\n", process.stdout.readline())
        assert found is not None
        with urllib.request.urlopen(f"{found[1]}api/runs", timeout=20) as answer:  # noqa: S310  our own address
            assert run.name in answer.read().decode()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
        assert process.stderr.read() == ""


def test_the_table_curves_and_lineage_are_shown_without_torch(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    script = (
        "import sys\nfrom pathlib import Path\nfrom wmframe.dashboard.overview import Project\n"
        "from wmframe.dashboard.routes import Routes\nroutes = Routes(Project(Path(sys.argv[1])))\n"
        "for kind in ('runs', *(f'{kind}/{sys.argv[2]}' for kind in ('curves', 'gallery', 'lineage'))):\n"
        "    assert routes.answer(f'/api/{kind}') is not None\n"
        "heavy = {'torch', 'hydra', 'gymnasium', 'matplotlib', 'nevergrad', 'wandb'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path, run.name], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["--port", "many"], "port=many: use a whole number"),
        (["--port", "70000"], "0 (any free one) to 65535"),
        (["--port"], "whole number"),
        (["--root", "nowhere"], "--root nowhere: there is no such folder"),
        (["--prot", "1"], "--prot is no flag here"),
        (["prot=1"], "Did you mean port"),
        (["latest"], "latest: one name too many"),
    ],
)
def test_mistakes_are_answered(arguments: list[str], hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dashboard", *arguments]) == 2
    assert hint in capsys.readouterr().err


def test_a_port_that_is_taken_is_said_to_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["dashboard", "--port", port, "--root", str(tmp_path)]) == 1
    assert f"port {port} cannot be had" in capsys.readouterr().err
