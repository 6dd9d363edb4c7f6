"""Opening somebody else's model, config, data or run executes nothing: Python's audit hook is the witness."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.runs import run
from tests.sweeps import TINY
from tests.torture import payloads_of_code, payloads_of_data, payloads_of_names  # noqa: F401  they enter themselves
from tests.torture.apart import lines_of
from tests.torture.conftest import Figure
from tests.torture.hostile_project import CANARY, MODULE, PAYLOADS
from tests.torture.scale import cases

REPOSITORY = Path(__file__).parents[2]
SECRET = "planted-7f3a-secret"  # noqa: S105  it is planted to be looked for

PAYLOAD = f"""
open(__file__.rpartition("/lib/")[0] + "/{CANARY}", "w").close()
class Payload:
    pass
def execute(arguments):
    return 0
HELP = ""
"""

# In CI: one or two of every kind, those first that were found to be holes.
SAMPLE = [
    *("target of a component: main", "target of a component: build", "target in a config: env main"),
    "pickle: object npz as latents/mu.npy",
    *("a folder of configs: a launcher with a target inside", "a folder of configs: a secret among the defaults"),
    *(
        "yaml: a bomb of aliases",
        "yaml: python object",
        "environment: module",
        "sizes in a component: a latent of 2^40",
    ),
    *("target in a graph: main", "a stage of graph.json: a key that leads out"),
    *("run.json: a command of escapes", "a stage of run.json: a key that leads out", "a sweep's job: markup"),
    *("links: every file of the run leads out", "a shard: stored elsewhere", "weights: 100,000 tensors"),
]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An honest finished project, a module that must not be imported, and files outside that must not be touched."""
    sandbox = tmp_path_factory.mktemp("sandbox")
    run(*TINY, root=sandbox / "project")
    for name in (f"{MODULE}/__init__.py", f"{MODULE}/run.py"):
        (sandbox / "lib" / name).parent.mkdir(parents=True, exist_ok=True)
        (sandbox / "lib" / name).write_text(PAYLOAD)
    for name, text in (("secret", "planted secret"), ("victim", "untouched"), ("secret.yaml", "seed: 7")):
        (sandbox / "outside" / name).parent.mkdir(exist_ok=True)
        (sandbox / "outside" / name).write_text(text)
    return sandbox


def observed(sandbox: Path, names: list[str]) -> list[dict[str, Any]]:
    """What the witness saw, a row for every payload and command."""
    home = sandbox / "home"
    home.mkdir(exist_ok=True)
    environment = {
        **os.environ,
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONDONTWRITEBYTECODE": "1",
        "WITNESS_SECRET": SECRET,
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home),
        "MPLCONFIGDIR": str(home),
        "TMPDIR": str(home),
        "TORCHINDUCTOR_CACHE_DIR": str(home),  # torch has set it here, if it was imported
    }
    return lines_of("tests.torture.witness", str(sandbox), *names, environment=environment)


@pytest.mark.slow
def test_the_working_directory_is_nobodys_to_import_from(tmp_path: Path) -> None:
    for name in ("multiprocessing/__init__.py", "hydra_plugins/trap.py", "torch.py", "numpy.py", "sitecustomize.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"open({str(tmp_path / CANARY)!r}, 'w').close()\n")
    (tmp_path / "matplotlibrc").write_text("text.usetex: True\nbackend: module://trap\n")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    overrides = ("trainer.workers=2", "vision.steps=0", "memory.steps=0", "search.generations=1")
    done = subprocess.run(
        [sys.executable, "-m", "wmframe", "run", *TINY, *overrides],
        env={**environment, "PYTHONPATH": str(REPOSITORY)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert not (tmp_path / CANARY).exists()


@pytest.mark.slow
def test_nothing_is_executed(sandbox: Path, figure: Figure) -> None:
    rest = [name for name in PAYLOADS if name not in SAMPLE]
    assert set(SAMPLE) <= set(PAYLOADS)
    names = [*SAMPLE, *cases(rest, 0)]
    rows = observed(sandbox, names)
    assert {row["payload"] for row in rows} == set(names)
    wrong = [row for row in rows if row["seen"] or row["modules"] or row["escapes"] or SECRET in row["said"]]
    assert wrong == []
    assert not list(sandbox.rglob(CANARY))
    assert (sandbox / "outside" / "victim").read_text() == "untouched"
    ends = Counter(row["code"] for row in rows)
    figure("hostile payloads", len(names))
    figure("payloads x commands", len(rows))
    figure("executions", sum(len(row["seen"]) for row in rows))
    figure("exit codes", {str(code): count for code, count in sorted(ends.items())})
    crashed = [f"{row['payload']}: {row['command']}\n{row['crashed']}" for row in rows if row["crashed"]]
    assert crashed == []
