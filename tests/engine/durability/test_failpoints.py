import errno
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from wmframe.engine.durability import failpoints


@pytest.fixture(autouse=True)
def anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failpoints, "_reached", Counter())


def told(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    monkeypatch.setenv(failpoints.VARIABLE, fault)


def test_without_the_variable_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(failpoints.VARIABLE, raising=False)
    failpoints.reach("here")


def test_an_error_is_raised_at_its_point_and_turn_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, "half.manifest.json:2:ENOSPC")
    failpoints.reach("half.manifest.json")
    failpoints.reach("elsewhere")
    with pytest.raises(OSError, match="json") as raised:
        failpoints.reach("half.manifest.json", Path("a.json"))
    assert raised.value.errno == errno.ENOSPC
    failpoints.reach("half.manifest.json")


def test_every_time_or_the_first_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, "here:*:EIO")
    for _ in range(3):
        with pytest.raises(OSError, match="Input/output"):
            failpoints.reach("here")
    told(monkeypatch, "there:EIO")
    with pytest.raises(OSError, match="Input/output"):
        failpoints.reach("there")
    failpoints.reach("there")


def test_a_signal_is_sent_to_the_process_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, "here:SIGKILL")
    code = "from wmframe.engine.durability import failpoints; failpoints.reach('here')"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL


def test_a_misspelt_action_is_no_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, "here:SIGNIL")
    with pytest.raises(ValueError, match="SIGNIL"):
        failpoints.reach("here")
