"""Every stage killed at every kind of moment by every signal: the same command ends with the same bits.

What stages before had published is not computed again, nothing is left lying about, and nobody is left running.
"""

import itertools
import json
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.runs import SMOKE, hashes, record
from tests.torture.conftest import Figure
from tests.torture.forge import Forge
from tests.torture.scale import cases

ORDER = ("collect", "vision", "latents", "memory", "controller", "agent", "baseline", "evaluate")
ARGUMENTS = ("run", *SMOKE, "vision.steps=30", "memory.steps=30")
"""Thirty steps: measured, and therefore saved, after 25 and at the end."""

CODES = {"SIGKILL": -9, "SIGTERM": 143, "SIGINT": 130}

_FIT = {"early": "fit.step", "middle": "fit.step:25", "half": "half.tensors-24.safetensors"}
_ROLLOUTS = {"early": "rollout.step", "middle": "rollout.step:20", "half": "half.scores.json"}
INSIDE = {
    "collect": {"early": "rollout.step", "middle": "rollout.step:60", "half": "half.held-0000.h5"},
    "vision": _FIT,
    "latents": {"early": "latents.episode", "middle": "latents.episode:6", "half": "half.manifest.json"},
    "memory": _FIT,
    "controller": {"early": "rollout.step:5", "middle": "search.generation:2", "half": "half.search.json"},
    "agent": {"early": "agent.part", "middle": "agent.part:2", "half": "half.sample.h5"},
    "baseline": _ROLLOUTS,
    "evaluate": _ROLLOUTS,
}
"""Where each stage is early and in the middle of its work, and a file of its that is written in two halves."""

MOMENTS = ("unlocked", "locked", "early", "middle", "half", "sealed", "renamed", "published")
"""Before the lock, holding it, early, middle, half-written file, before and after the rename, after publishing."""

REPORT = ("report.begun", "report.gathered", "half.report.html", "report.written", "report.published")

MATRIX = [
    *((f"{stage}.{moment}", sent) for stage in ORDER for moment in MOMENTS for sent in CODES),
    *(
        (point, sent)
        for point in ("vision@fit.measured:3", "memory@fit.measured:3", "vision@half.state.json")
        for sent in CODES
    ),
]


@pytest.fixture(scope="module")
def golden(forge: Forge, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nobody interrupted."""
    root = tmp_path_factory.mktemp("golden")
    code, said = forge.run(*ARGUMENTS, f"paths.root={root}")
    assert code == 0, said
    return root


def begun(golden: Path, root: Path, stage: str) -> None:
    """Put into `root` what the stages before `stage` have published."""
    for before in ORDER[: ORDER.index(stage)]:
        shutil.copytree(golden / "artefacts" / before, root / "artefacts" / before)


def spelled(case: str) -> tuple[str, str]:
    """The stage of a case, and its fault point."""
    if "@" in case:
        stage, _, point = case.partition("@")
        return stage, point
    stage, _, moment = case.partition(".")
    return stage, INSIDE[stage].get(moment, case)


def nothing_left_over(root: Path) -> bool:
    """Tell whether only results, their locks and run folders are there."""
    beside = [path for path in (root / "artefacts").glob("*/*") if path.is_file() and path.suffix != ".lock"]
    odd = [path for path in root.rglob("*") if path.suffix in (".tmp", ".part", ".work", ".link")]
    return not beside and not odd


@pytest.mark.slow
@pytest.mark.parametrize(("case", "sent"), cases(MATRIX, 10))
def test_killed_there_the_same_command_ends_with_the_same_bits(
    forge: Forge, golden: Path, tmp_path: Path, case: str, sent: str, figure: Figure
) -> None:
    stage, point = spelled(case)
    begun(golden, tmp_path, stage)
    command = (*ARGUMENTS, f"paths.root={tmp_path}")

    began = time.monotonic()
    code, said = forge.run(*command, fault=f"{point}:{sent}")
    figure("seconds until it was gone", round(time.monotonic() - began, 2))
    assert code == CODES[sent], said
    if sent != "SIGKILL":
        assert time.monotonic() - began < 10
        assert said.rstrip().endswith(f"wmframe {' '.join(command)}")
        assert ("  stopped at " in said) >= case.endswith("early"), "it went on to the end of the stage"
    assert forge.left() == []
    [interrupted] = (tmp_path / "runs").glob("[0-9]*")
    assert record(interrupted)["state"] == "running"
    there = {name.partition("/")[0] for name in hashes(tmp_path)}
    assert there == {*ORDER[: ORDER.index(stage)], *([stage] if case.endswith(("renamed", "published")) else [])}

    code, said = forge.run(*command)
    assert code == 0, said
    assert hashes(tmp_path) == hashes(golden)
    again = {line["stage"]: line["state"] for line in record((tmp_path / "runs" / "latest").resolve())["stages"]}
    kept = there | ({stage} if case.endswith("sealed") else set())  # nothing is left to compute after the last byte
    assert again == {name: "cached" if name in kept else "ran" for name in ORDER}
    assert nothing_left_over(tmp_path)
    assert forge.left() == []


CLIMB = (*ARGUMENTS, "search=gradient", "search.updates=6", "search.check_every=2")
CLIMBING = ("search.update", "search.update:4", "search.update:6", "half.search.json")


@pytest.fixture(scope="module")
def climbed(forge: Forge, golden: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run whose C climbed by gradient, not interrupted."""
    root = tmp_path_factory.mktemp("climbed")
    begun(golden, root, "controller")
    code, said = forge.run(*CLIMB, f"paths.root={root}")
    assert code == 0, said
    return root


@pytest.mark.slow
@pytest.mark.parametrize(("point", "sent"), cases(list(itertools.product(CLIMBING, CODES)), 3))
def test_a_climb_killed_there_goes_on_to_the_same_bits(
    forge: Forge, climbed: Path, tmp_path: Path, point: str, sent: str
) -> None:
    begun(climbed, tmp_path, "controller")
    command = (*CLIMB, f"paths.root={tmp_path}")
    code, said = forge.run(*command, fault=f"{point}:{sent}")
    assert code == CODES[sent], said
    code, said = forge.run(*command)
    assert code == 0, said
    assert hashes(tmp_path) == hashes(climbed)
    assert nothing_left_over(tmp_path)


LONG = {
    "collect": ("collect.first.held.episodes=2000",),
    "vision": ("vision.steps=100000",),
    "memory": ("memory.steps=100000", "memory.batch_size=500"),
    "controller": (
        *("search.population=64", "search.rollouts=64", "search.generations=1"),
        *("world.horizon=1000", "world.done_rule=never"),
    ),
    "baseline": ("evaluate.episodes=100000",),
}
"""What makes each stage last for minutes: of M every step, of C one generation. Evaluation's loop is baseline's."""


@pytest.mark.slow
@pytest.mark.parametrize(("stage", "sent"), cases(list(itertools.product(LONG, ("SIGTERM", "SIGINT"))), 2))
def test_a_long_stage_is_left_within_ten_seconds(
    forge: Forge, golden: Path, tmp_path: Path, stage: str, sent: str, figure: Figure
) -> None:
    begun(golden, tmp_path, stage)
    child = forge.start(*ARGUMENTS, *LONG[stage], f"paths.root={tmp_path}")
    until = time.monotonic() + 60
    while not any(f"{name}  starting" in child.said() for name in (stage, f"{stage}.1")):
        assert time.monotonic() < until, child.said()
        time.sleep(0.05)
    time.sleep(1)
    child.send(signal.Signals[sent])
    asked = time.monotonic()
    assert forge.finish(child) == CODES[sent], child.said()
    assert time.monotonic() - asked < 10
    figure("seconds until it had left", round(time.monotonic() - asked, 2))
    assert "stopped at" in child.said()
    if stage in ("vision", "memory"):
        assert list(tmp_path.glob(f"artefacts/{stage}/*.work/resume/fit/state.json")), "not saved"


@pytest.mark.slow
@pytest.mark.parametrize(("point", "sent"), cases(list(itertools.product(REPORT, CODES)), 3))
def test_killed_while_the_page_is_drawn_the_same_command_draws_it(
    forge: Forge, golden: Path, tmp_path: Path, point: str, sent: str
) -> None:
    shutil.copytree(golden / "artefacts", tmp_path / "artefacts")
    command = (*ARGUMENTS, f"paths.root={tmp_path}")
    code, said = forge.run(*command, fault=f"{point}:{sent}")
    assert code == CODES[sent], said
    [first] = (tmp_path / "runs").glob("[0-9]*")
    assert (first / "report.html").is_file() == (point in ("report.written", "report.published"))
    code, said = forge.run(*command)
    assert code == 0, said
    last = (tmp_path / "runs" / "latest").resolve()
    assert last != first
    assert (last / "report.html").read_text().rstrip().endswith("</html>")
    pictures = {path.name: path.read_bytes() for path in (last / "pictures").iterdir()}
    [whole] = (golden / "runs").glob("[0-9]*")
    assert pictures == {path.name: path.read_bytes() for path in (whole / "pictures").iterdir()}
    assert set(json.dumps(record(last)["stages"]).split('"')) & {"ran"} == set()
    assert nothing_left_over(tmp_path / "artefacts")


def test_the_matrix_has_every_combination() -> None:
    assert len([case for case, _ in MATRIX if "@" not in case]) == len(ORDER) * len(MOMENTS) * 3 == 192
