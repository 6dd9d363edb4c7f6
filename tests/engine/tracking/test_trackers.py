import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.engine.tracking.leet import inspect, of_type
from wmframe.engine.tracking import wandb_tracker
from wmframe.engine.tracking.history import History, read
from wmframe.engine.tracking.no_tracker import NoTracker
from wmframe.engine.tracking.tracker import ArtefactInfo, RunInfo, Tracker, tracked
from wmframe.engine.tracking.wandb_tracker import WandbTracker

BRIEF_SECONDS = 3.0


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunInfo:
    """A run in a home and a working directory of its own, so that a stray file would be seen."""
    for name in ("home", "cwd", "tmp", "run"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.chdir(tmp_path / "cwd")
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    config = {"memory": {"_target_": "wmframe.memory.mdnrnn.MDNRNN", "mixtures": 5}}
    return RunInfo(id="20261122-101010-x-abcd", name="x", folder=tmp_path / "run", config=config, tags=("toy",))


def stage_result(run: RunInfo, *, made: bool) -> ArtefactInfo:
    """Two files, one of them too large to go along."""
    (run.folder / "weights.safetensors").write_bytes(bytes(100))
    sizes = {"weights.safetensors": 100, "frames.h5": 10**9}
    return ArtefactInfo(name="vision-1", kind="vision", folder=run.folder, files=sizes, facts={"a": 1}, made=made)


def train(
    tracker: Tracker, run: RunInfo, notice: Callable[[str], None], *, meanwhile: Callable[[], object] = int
) -> None:
    """Use everything that a tracker offers."""
    Image.new("RGB", (8, 8)).save(run.folder / "frames.png")
    pictures = [Image.new("RGB", (8, 8), (shade, 0, 0)) for shade in (0, 99, 200)]
    pictures[0].save(run.folder / "dream.webp", save_all=True, append_images=pictures[1:])
    pictures[0].save(run.folder / "dream.gif", save_all=True, append_images=pictures[1:])
    (run.folder / "report.html").write_text("<p>Hello")
    with (
        tracked(tracker, run, notice),
        History(run.folder / "history.jsonl", listener=tracker.log) as history,
    ):
        for step in range(20):
            history.log(step, {"vision/nll": 1 / (step + 1)})
        meanwhile()
        for step in range(5):
            history.log(step, {"memory/nll": -float(step), "memory/reward_loss": 0.5})
        tracker.media("report/frames", run.folder / "frames.png", "real frames")
        tracker.media("report/dream", run.folder / "dream.webp")
        tracker.media("report/film", run.folder / "dream.gif", "a film")
        tracker.media("report/page", run.folder / "report.html")
        tracker.table("report/episodes", ("seed", "return"), [(1, 2.5), (2, -1.0)])
        tracker.artefact(stage_result(run, made=True))
        tracker.summary({"reality/mean": 812.5})


def test_an_offline_run_is_whole_and_inside_its_folder(run: RunInfo, tmp_path: Path) -> None:
    before = dict(os.environ), sys.excepthook, sys.exit, "wandb" in sys.modules
    lines: list[str] = []
    train(WandbTracker(), run, lines.append)
    assert lines == []
    [log] = (run.folder / "wandb").glob("offline-run-*/*.wandb")
    assert log.name == f"run-{run.id}.wandb"
    [dream] = log.parent.glob("files/media/images/report/dream*.webp")
    assert dream.read_bytes() == (run.folder / "dream.webp").read_bytes()  # still moving
    assert len(list(log.parent.glob("files/media/images/report/frames*.png"))) == 1
    [film] = log.parent.glob("files/media/videos/report/film*.gif")
    assert film.read_bytes() == (run.folder / "dream.gif").read_bytes()
    [table] = log.parent.glob("files/media/table/report/episodes*.json")
    assert json.loads(table.read_text())["data"] == [[1, 2.5], [2, -1.0]]
    assert len(list(log.parent.glob("files/media/html/report/page*.html"))) == 1
    assert (dict(os.environ), sys.excepthook, sys.exit, "wandb" in sys.modules) == before
    for name in ("home", "cwd", "tmp"):
        assert list((tmp_path / name).rglob("*")) == []
    records = inspect(run.folder)
    [artefact] = [found for found in of_type(records, "artifact") if found["type"] == "vision"]
    assert [entry["path"] for entry in artefact["manifest"]["contents"]] == ["weights.safetensors"]
    rows = [record["item"] for record in of_type(records, "history")]
    vision = [(row["vision/step"], row["vision/nll"]) for row in rows if "vision/nll" in row]
    memory = [(row["memory/step"], row["memory/nll"]) for row in rows if "memory/nll" in row]
    assert vision == [(step, pytest.approx(1 / (step + 1))) for step in range(20)]
    assert memory == [(step, -step) for step in range(5)]


def test_online_without_an_account_asks_nothing_and_records_offline(run: RunInfo) -> None:
    lines: list[str] = []
    train(WandbTracker(mode="online"), run, lines.append)
    assert len(lines) == 1
    assert "wandb login" in lines[0]
    assert len(list((run.folder / "wandb").glob("offline-run-*/*.wandb"))) == 1


@pytest.mark.slow
def test_online_without_a_network_records_offline(run: RunInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "a" * 40)
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    lines: list[str] = []
    train(WandbTracker(mode="online"), run, lines.append)
    assert len(lines) == 1
    assert "does not answer" in lines[0]
    assert "a" * 40 not in lines[0]
    assert any(record["type"] == "history" for record in inspect(run.folder))


LOGS_NOTHING = """
class Settings:
    def __init__(self, **named):
        pass

class Run:
    def log(self, *values):
        raise OSError("no disk")

    def __getattr__(self, name):
        return lambda *values, **named: None

def init(**named):
    return Run()
"""
FAULTY = {
    "import": "raise RuntimeError('broken install')",
    "settings": "",
    "init": LOGS_NOTHING.replace("return Run()", "raise RuntimeError('no disk')"),
    "log": LOGS_NOTHING,
    "exit": "import os\nos._exit(3)",
}


@pytest.mark.parametrize("fault", FAULTY)
def test_a_backend_that_fails_stops_nothing(
    run: RunInfo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    (tmp_path / "faulty").mkdir()
    (tmp_path / "faulty" / "wandb.py").write_text(FAULTY[fault])
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "faulty"))
    lines: list[str] = []
    # Long enough for the worker to start and fail while there is still something to log.
    train(WandbTracker(), run, lines.append, meanwhile=lambda: time.sleep(0.5))
    assert len(lines) <= 1
    assert fault == "exit" or "W&B failed" in lines[0]
    assert len(read(run.folder / "history.jsonl")) == 25


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_worker_that_dies_or_hangs_stops_nothing(
    run: RunInfo, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    monkeypatch.setattr(wandb_tracker, "FINISH_SECONDS", BRIEF_SECONDS)
    monkeypatch.setattr(wandb_tracker, "BUFFER_BYTES", 2000)
    tracker = WandbTracker()
    lines: list[str] = []

    def strike() -> None:
        assert tracker._process is not None
        tracker._process.send_signal(number)
        while number == signal.SIGKILL and tracker._process.poll() is None:
            time.sleep(0.01)
        for step in range(1000):
            tracker.log({"step": step, "vision/nll": 0.0})

    began = time.monotonic()
    train(tracker, run, lines.append, meanwhile=strike)
    assert time.monotonic() - began < BRIEF_SECONDS + 5
    assert 1 <= len(lines) <= 2
    assert all("history.jsonl has everything" in line for line in lines)
    assert len(read(run.folder / "history.jsonl")) == 25


@pytest.mark.slow
def test_a_killed_training_process_leaves_a_closed_run_and_no_process(run: RunInfo) -> None:
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom wmframe.engine.tracking.wandb_tracker import WandbTracker\n"
        "from wmframe.engine.tracking.tracker import RunInfo\n"
        "tracker = WandbTracker()\ntracker.start(RunInfo(id='a', name='a', folder=Path(sys.argv[1])))\n"
        "tracker.log({'step': 0, 'vision/nll': 1.0})\n"
        "print(tracker._process.pid, flush=True)\nos.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(run.folder)], capture_output=True, text=True, check=False)
    worker = int(done.stdout)
    deadline = time.monotonic() + 20
    while Path(f"/proc/{worker}/cmdline").exists() and Path(f"/proc/{worker}/cmdline").read_bytes():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert any(record["type"] == "history" for record in inspect(run.folder))


@pytest.mark.slow
def test_a_run_that_failed_is_finished_as_failed(run: RunInfo) -> None:
    tracker = WandbTracker()
    with pytest.raises(KeyError), tracked(tracker, run):
        raise KeyError
    tracker.finish()
    assert '"exit_code":1' in json.dumps(inspect(run.folder), separators=(",", ":"))


def test_no_tracker_leaves_nothing(run: RunInfo) -> None:
    train(NoTracker(), run, print)
    assert {path.name for path in run.folder.iterdir()} == {
        "frames.png",
        "dream.webp",
        "dream.gif",
        "weights.safetensors",
        "report.html",
        "history.jsonl",
    }
