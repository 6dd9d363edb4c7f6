"""Parts that fail while a run goes on: a loss or a fitness that is no number, an environment, a tracker.

The run ends in words or goes on without the part, and the results are those of a run that nothing happened to.
"""

import contextlib
import functools
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.runs import hashes, record, run
from tests.torture.machine import TINY
from tests.torture.scale import FULL, cases
from wmframe.cli.main import main
from wmframe.engine.tracking import wandb_tracker
from wmframe.envs.process_batch import ProcessBatch
from wmframe.memory.mdn_rnn import MDNRNN
from wmframe.search import contract as search
from wmframe.vision.conv_vae import ConvVAE

PLUGINS = Path(__file__).parents[1] / "plugins"
FRAGILE = ("--allow", "fragile_env", "--config-dir", str(PLUGINS / "conf"), *TINY, "env=fragile")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    root = tmp_path_factory.mktemp("golden")
    run(*TINY, root=root)
    return hashes(root)


def at_call(number: int, real: Callable[..., Any], spoil: Callable[[Any], Any]) -> Callable[..., Any]:
    """A function that spoils what the real one returns, from one of its calls on."""
    calls = 0

    @functools.wraps(real)  # Lightning reads the signature
    def spoilt(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        result = real(*arguments, **named)
        return spoil(result) if calls >= number else result

    return spoilt


def no_number(tensor: torch.Tensor) -> torch.Tensor:
    return tensor * float("nan")


def nan_weights(module: Any, *_: Any) -> None:
    """What a last step may leave, whose own loss was still a number."""
    if module.trainer.global_step == module.steps:
        with torch.no_grad():
            next(module.parameters()).view(-1)[0] = float("nan")


NOT_A_NUMBER: dict[str, tuple[Any, str, Callable[[Any], Any], str]] = {
    "V's loss": (ConvVAE, "training_step", lambda real: at_call(3, real, no_number), "ConvVAE diverged"),
    "M's loss": (MDNRNN, "training_step", lambda real: at_call(2, real, no_number), "MDNRNN diverged"),
    "fitness": (
        search,
        "population_returns",
        lambda real: at_call(2, real, lambda found: found.index_fill(0, torch.tensor([1]), float("nan"))),
        "no finite fitness",
    ),
    "V's last weights": (
        ConvVAE,
        "on_train_batch_end",
        lambda _: nan_weights,
        "ConvVAE diverged",
    ),
    "a select score": (
        search,
        "population_returns",
        lambda real: at_call(3, real, lambda found: no_number(found) if len(found) == 1 else found),
        "select seeds",
    ),
}


@pytest.mark.parametrize("what", cases(list(NOT_A_NUMBER), 3))
def test_what_is_no_number_is_refused_and_poisons_nothing(
    what: str, tmp_path: Path, golden: dict[str, dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    owner, name, spoil, said = NOT_A_NUMBER[what]
    saving = ("trainer.save_seconds=1",)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, spoil(getattr(owner, name)))
        assert main(["run", *TINY, *saving, f"paths.root={tmp_path}"]) == 1
    heard = capsys.readouterr().err
    assert said in heard
    assert "Traceback" not in heard
    assert hashes(tmp_path).items() < golden.items()
    run(*TINY, *saving, root=tmp_path)
    assert hashes(tmp_path) == golden


def test_state_that_is_no_number_is_not_kept_to_go_on_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else the same command would go on from it for ever. Saved after every step, measured after the last only."""
    several = (*TINY, "vision.steps=30")
    whole = run(*several, root=tmp_path / "whole")
    monkeypatch.setattr("wmframe.stages.fit.time.monotonic", iter(range(0, 10**9, 1000)).__next__)
    with pytest.MonkeyPatch.context() as patch:
        spoilt = at_call(4, ConvVAE.training_step, no_number)
        patch.setattr(ConvVAE, "training_step", spoilt)
        assert main(["run", *several, f"paths.root={tmp_path / 'broken'}"]) == 1
    assert "is not finite" in capsys.readouterr().err
    assert list((tmp_path / "broken").glob("artefacts/vision/*.work/resume/fit/state.json")), "nothing was kept at all"
    monkeypatch.undo()
    again = run(*several, root=tmp_path / "broken")
    assert "resuming at" in capsys.readouterr().err
    assert hashes(tmp_path / "broken") == hashes(tmp_path / "whole")
    assert record(again)["scores"] == record(whole)["scores"]


BREAKS = {
    "shape": "a frame is (64, 64, 1) float32",
    "nan": "a reward is nan",
    "crash": "crashed with SIGSEGV",
    "hang": "gave no sign of life",
}


@pytest.fixture
def fragile(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.syspath_prepend(str(PLUGINS))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(PLUGINS), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setattr(ProcessBatch.__init__, "__defaults__", (2.0,))  # seconds of patience, not a minute
    return monkeypatch


@pytest.mark.parametrize("how", cases(list(BREAKS), 3))
def test_an_environment_that_breaks_is_named_and_costs_nothing(
    how: str, tmp_path: Path, fragile: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    workers = () if how in ("shape", "nan") else ("trainer.workers=2",)
    run(*FRAGILE, root=tmp_path / "whole")
    fragile.setenv("FRAGILE_ENV", how)
    assert main(["run", *FRAGILE, *workers, f"paths.root={tmp_path / 'broken'}"]) == 1
    heard = capsys.readouterr().err
    assert BREAKS[how] in heard
    assert "Traceback" not in heard
    assert hashes(tmp_path / "broken") == {}
    fragile.delenv("FRAGILE_ENV")
    run(*FRAGILE, root=tmp_path / "broken")
    assert hashes(tmp_path / "broken") == hashes(tmp_path / "whole")


@pytest.mark.skipif(not FULL, reason="the batch's own tests have it, without a whole run around it")
@pytest.mark.parametrize("how", ["crash", "hang"])
def test_an_environment_that_breaks_once_changes_nothing(how: str, tmp_path: Path, fragile: pytest.MonkeyPatch) -> None:
    run(*FRAGILE, root=tmp_path / "whole")
    once = tmp_path / "once"
    once.touch()
    fragile.setenv("FRAGILE_ENV", f"{how}:{once}")
    run(*FRAGILE, "trainer.workers=2", root=tmp_path / "broken")
    assert not once.exists()
    assert hashes(tmp_path / "broken") == hashes(tmp_path / "whole")


@contextlib.contextmanager
def struck(number: signal.Signals, once: Path) -> Iterator[list[int]]:
    """Send this process's tracker a signal as soon as the pattern's first file is there."""
    hit: list[int] = []
    over = threading.Event()

    def wait() -> None:
        while not over.wait(0.01):
            worker = _tracker_process()
            if worker is not None and any(once.parent.glob(once.name)):
                os.kill(worker, number)
                hit.append(worker)
                return

    thread = threading.Thread(target=wait)
    thread.start()
    try:
        yield hit
    finally:
        over.set()
        thread.join()


def _tracker_process() -> int | None:
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and b"wandb_worker" in (folder / "cmdline").read_bytes():
                return int(folder.name)
    return None


@pytest.mark.parametrize("number", cases([signal.SIGKILL, signal.SIGSTOP], 2))
def test_a_tracker_that_dies_or_hangs_changes_nothing(
    number: signal.Signals,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    golden: dict[str, dict[str, str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(wandb_tracker, "FINISH_SECONDS", 2.0)
    (tmp_path / "artefacts" / "vision").mkdir(parents=True)
    with struck(number, tmp_path / "artefacts" / "vision" / "*.work") as hit:
        began = time.monotonic()
        folder = run(*TINY, "tracker=wandb_offline", root=tmp_path)
        seconds = time.monotonic() - began
    assert hit
    assert not Path(f"/proc/{hit[0]}").exists()
    assert hashes(tmp_path) == golden
    assert record(folder)["state"] == "finished"
    assert (folder / "report.html").is_file()
    said = [line for line in capsys.readouterr().err.splitlines() if "W&B" in line]
    assert len(said) == 1
    assert "history.jsonl has everything" in said[0]
    assert seconds < 120
