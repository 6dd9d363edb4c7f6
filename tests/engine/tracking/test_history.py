import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wmframe.engine.errors import UserError
from wmframe.engine.tracking.history import History, Row, check_name, read


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.jsonl"


def train(path: Path, first: int, last: int, resume_step: int | None = None) -> None:
    with History(path, resume_step=resume_step) as history:
        for step in range(first, last + 1):
            history.log(step, {"memory/nll": 1 / (step + 1), "memory/grad_norm2": step})


def test_rows_come_back_as_they_went_in(path: Path) -> None:
    seen: list[Row] = []
    with History(path, listener=seen.append) as history:
        history.log(0, {"memory/nll": -1.5, "vision/kl": np.float32(0.1)})
        history.log(10, {"memory/nll": 1e-30})
        assert [json.loads(line) for line in path.read_text().splitlines()] == seen  # on disk at once
    rows = [
        {"step": 0, "memory/nll": -1.5, "vision/kl": float(np.float32(0.1))},
        {"step": 10, "memory/nll": 1e-30},
    ]
    assert read(path) == rows == seen


def test_a_resumed_history_equals_an_uninterrupted_one(path: Path, tmp_path: Path) -> None:
    train(tmp_path / "whole.jsonl", 0, 9)
    train(path, 0, 6)
    with path.open("ab") as file:
        file.write(b'{"step": 7, "memory/n')
    assert len(read(path)) == 7
    train(path, 5, 7, resume_step=4)
    train(path, 8, 9, resume_step=7)
    assert path.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_resuming_from_step_zero_keeps_step_zero(path: Path) -> None:
    train(path, 0, 3)
    History(path, resume_step=0).close()
    assert [row["step"] for row in read(path)] == [0]


def test_resuming_without_a_file_begins_one(path: Path) -> None:
    train(path, 3, 4, resume_step=2)
    assert [row["step"] for row in read(path)] == [3, 4]


def test_without_resume_step_a_new_history_begins(path: Path) -> None:
    train(path, 0, 3)
    train(path, 5, 5)
    assert [row["step"] for row in read(path)] == [5]


def test_rows_survive_the_death_of_the_process(path: Path) -> None:
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom wmframe.engine.tracking.history import History\n"
        "history = History(Path(sys.argv[1]))\n"
        "for step in range(100):\n    history.log(step, {'memory/nll': step})\nos.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert len(read(path)) == 100


@pytest.mark.parametrize(
    "name",
    [
        "nll",
        "memory/",
        "/nll",
        "Memory/nll",
        "memory/NLL",
        "a/b/c",
        "memory/nll ",
        "2m/nll",
        "memory/step",
        "",
    ],
)
def test_names_follow_one_rule(path: Path, name: str) -> None:
    with History(path) as history, pytest.raises(ValueError, match="is not a metric name"):
        history.log(0, {name: 1.0})
    assert read(path) == []
    for good in ("controller/fitness_mean", "fit_2d/error"):  # a stage is called as a function may be
        assert check_name(good) == good


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -np.inf])
def test_a_value_that_is_not_finite_is_refused_with_its_name_and_step(path: Path, value: float) -> None:
    with History(path) as history, pytest.raises(ValueError, match=r"memory/nll is .* at step 7"):
        history.log(7, {"memory/kl": 1.0, "memory/nll": value})
    assert read(path) == []


def test_a_row_needs_a_step_and_a_metric(path: Path) -> None:
    with History(path) as history:
        for step, metrics in [(-1, {"memory/nll": 1.0}), (0, {})]:
            with pytest.raises(ValueError, match="a row needs"):
                history.log(step, metrics)
    assert read(path) == []


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b'{"step": "1"}',
        b'{"memory/nll": 1}',
        b"\xff",
        b'{"step": 1\r',
        b"1",
        b'{"step": 1, "memory/nll": "x"}',
    ],
)
def test_a_damaged_line_is_named(path: Path, line: bytes) -> None:
    train(path, 0, 0)
    with path.open("ab") as file:
        file.write(line + b'\n{"step": 9, "memory/nll": 1}\n')
    for use in (lambda: read(path), lambda: History(path, resume_step=9)):
        with pytest.raises(UserError, match=r"history\.jsonl, line 2: damaged"):
            use()


def test_a_missing_history_is_named(path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        read(path)


class FullDisk:
    """A file that takes half a line and then says that the disk is full."""

    def __init__(self, file: io.FileIO) -> None:
        self.file = file
        self.calls = 0

    def write(self, data: bytes) -> int:
        self.calls += 1
        if self.calls == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self.file.write(data[: len(data) // 2])

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


def test_a_full_disk_leaves_no_half_line(path: Path) -> None:
    history = History(path)
    history.log(0, {"memory/nll": 1.0})
    real = history._file
    history._file = FullDisk(real)  # type: ignore[assignment]
    with pytest.raises(OSError, match="No space"):
        history.log(1, {"memory/nll": 1.0})
    history._file = real
    history.log(2, {"memory/nll": 1.0})
    history.close()
    history.close()
    assert [row["step"] for row in read(path)] == [0, 2]
