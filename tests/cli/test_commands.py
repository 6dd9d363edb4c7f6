"""The commands that look at a run, as a user types them, on one finished run of the toy."""

from pathlib import Path

import pytest

from tests.runs import SMOKE, record, run, states
from wmframe.cli.main import main


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    run(*SMOKE, root=folder)
    return folder


def printed(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    assert main(arguments) == code
    found = capsys.readouterr()
    return found.out + found.err


def test_status_lists_runs_and_one_run(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = (root / "runs" / "latest").resolve().name
    assert name in printed(capsys, "status", f"root={root}")
    one = printed(capsys, "status", "latest", f"root={root}")
    assert "controller.1" in one
    assert "random policy" in one
    assert "no run 'latets'. The nearest" in printed(capsys, "status", "latets", f"root={root}", code=2)


def test_status_says_what_to_type_where_nothing_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "wmframe run env=toy" in printed(capsys, "status", f"root={tmp_path}")


def test_report_writes_the_page_again(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = root / "runs" / "latest" / "report.html"
    page.unlink()
    assert str(page.resolve()) in printed(capsys, "report", "latest", f"root={root}")
    assert "The driver learned only in its dream" in page.read_text()


@pytest.mark.parametrize("world", ["reality", "dream"])
def test_watch_films_the_driver(root: Path, world: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = root / f"{world}.gif"
    printed(capsys, "watch", "latest", f"world={world}", "steps=3", f"out={out}", f"root={root}")
    assert out.read_bytes().startswith(b"GIF8")


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["watch", "latest", "wrold=dream"], "world"),
        (["watch", "latest", "world=drem"], "dream"),
        (["evaluate", "latest", "episodes=0"], "at least 1"),
        (["evaluate", "latest", "episods=3"], "episodes"),
        (["evaluate"], "which run"),
        (["report", "nope"], "no run 'nope'"),
        (["status", "a", "b"], "one name too many"),
    ],
)
def test_mistakes_are_answered(root: Path, arguments: list[str], hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = printed(capsys, *arguments, *([f"root={root}"] if arguments[-1] != "b" else []), code=2)
    assert hint in said
    assert "Traceback" not in said


def test_doctor_finds_this_machine_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    said = printed(capsys, "doctor")
    assert "WRONG" not in said
    assert "real track" in said


@pytest.mark.parametrize(
    ("edit", "will_run"),
    [
        ([], set()),
        (["world.temperature=0.7"], {"controller.1", "agent", "evaluate"}),
        (["memory.mixtures=1"], {"memory.1", "controller.1", "agent", "evaluate"}),
        (["evaluate.episodes=3"], {"baseline", "evaluate"}),
        (["trainer.save_seconds=7", "tracker=wandb_offline"], set()),
        (["vision.latent_size=4"], {"vision.1", "latents.1_1", "memory.1", "controller.1", "agent", "evaluate"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_plan_says_what_run_then_does(
    root: Path, edit: list[str], will_run: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    planned = printed(capsys, "plan", *SMOKE, *edit, f"paths.root={root}")
    rows = [line.split() for line in planned.splitlines()]
    assert {row[0] for row in rows if row[1] == "will"} == will_run
    quiet = [word for word in edit if "tracker" not in word]
    assert {name for name, state in states(run(*SMOKE, *quiet, root=root)).items() if state == "ran"} == will_run
    if edit:
        assert record((root / "runs" / "latest").resolve())["state"] == "finished"


def test_plan_names_the_field_that_changed(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = printed(capsys, "plan", *SMOKE, "memory.dropout=0.25", f"paths.root={root}")
    assert "memory.dropout: 0.0 → 0.25" in said
