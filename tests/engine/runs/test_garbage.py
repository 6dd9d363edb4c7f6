"""What may be deleted: what nobody needs, and nothing that somebody is at."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.runs.toy_run import toy_run
from tests.engine.store.producers import REQUEST, obtain
from tests.runs import hashes
from wmframe.cli.main import main
from wmframe.engine.errors import UserError
from wmframe.engine.runs.garbage import delete, find_garbage
from wmframe.engine.runs.runs import all_runs
from wmframe.engine.store.single_flight import try_hold
from wmframe.engine.store.store import Request, Store


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A run, a result of no run, and everything else that piles up."""
    toy_run(tmp_path)
    obtain(tmp_path / "artefacts", tmp_path / "ledger.txt")
    place = tmp_path / "artefacts" / "memory"
    for name in ("0" * 16 + ".work", "1" * 16 + ".work-ab12", "2" * 16 + ".damaged-1", "3" * 16 + ".gone-00ff"):
        (place / name / "resume").mkdir(parents=True)
        (place / name / "resume" / "state.json").write_text("x" * 100)
    (place / f".{'a' * 16}.tmp").write_text("half")
    (place / "notes.txt").write_text("somebody's own")
    return tmp_path


def age(root: Path, days: float) -> None:
    then = time.time() - days * 86_400
    for path in [root, *root.rglob("*")]:
        os.utime(path, (then, then), follow_symlinks=False)


def names(root: Path, days: float = 7) -> dict[str, str]:
    return {garbage.path.name.replace(REQUEST.key, "KEY"): garbage.why for garbage in find_garbage(root, days=days)}


ALWAYS = {"2" * 16 + ".damaged-1": "damaged", "3" * 16 + ".gone-00ff": "half deleted"}
OLD = {
    **ALWAYS,
    "0" * 16 + ".work": "given up",
    "1" * 16 + ".work-ab12": "given up",
    "KEY": "of no run",
    f".{'a' * 16}.tmp": "litter",
}


def test_what_may_still_be_wanted_has_to_be_old(root: Path) -> None:
    assert names(root) == ALWAYS
    age(root, 6.9)
    assert names(root) == ALWAYS
    age(root, 7.1)
    assert names(root) == OLD
    assert names(root, days=0) == OLD


def test_it_is_listed_and_only_then_deleted(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = hashes(root)
    age(root, 8)
    assert main(["gc", f"root={root}"]) == 0
    said = capsys.readouterr().out
    assert said.count("may go") == len(OLD) + 1
    assert "nothing was deleted yet" in said
    assert names(root) == OLD
    assert main(["gc", "--delete", f"root={root}"]) == 0
    assert "in all: 6 deleted" in capsys.readouterr().out
    assert names(root, days=0) == {}
    assert set(before) - set(hashes(root)) == {f"memory/{REQUEST.key}"}
    assert (root / "artefacts" / "memory" / "notes.txt").is_file()
    assert main(["gc", f"root={root}"]) == 0
    assert capsys.readouterr().out == "in all: 0 that may go, 0 B\n"


@pytest.mark.parametrize("role", ["memory", "of_another_name"])
def test_what_the_results_of_a_run_were_made_of_stays(root: Path, role: str) -> None:
    store = Store(root / "artefacts")
    request = Request(stage="controller", code_version=1, config={"of": "memory"}, parents={role: REQUEST.key})

    def produce(work: Path) -> None:
        (work / "output" / "a.json").write_text("{}")

    made = store.obtain(request, produce)
    [run] = all_runs(root / "runs")
    stages = run.record().stages
    run.write(
        replace(
            run.record(), stages=(*stages, replace(stages[-1], name="controller.1", stage="controller", key=made.key))
        )
    )
    assert "KEY" not in names(root, days=0)
    assert made.key not in names(root, days=0)


def test_what_a_process_is_at_work_on_stays(root: Path) -> None:
    lock = try_hold(root / "artefacts" / "memory" / f"{'0' * 16}.lock")
    assert lock is not None
    with lock:
        gone = {garbage.path.name: delete(garbage) for garbage in find_garbage(root, days=0)}
        assert [name for name, done in gone.items() if not done] == ["0" * 16 + ".work"]
    assert names(root, days=0) == {"0" * 16 + ".work": "given up"}


def test_where_a_record_is_damaged_nobody_knows_what_is_wanted(root: Path) -> None:
    [record] = [path for path in root.glob("runs/*/run.json") if not path.parent.is_symlink()]
    record.write_text("{")
    with pytest.raises(UserError, match="nothing is deleted"):
        find_garbage(root, days=0)
    assert main(["gc", "--delete", f"root={root}"]) == 1


@pytest.mark.parametrize("argument", ["days=x", "day=3", "--delet", "root=/nowhere/at/all", "a"])
def test_mistakes_are_answered(argument: str) -> None:
    assert main(["gc", argument]) == 2
