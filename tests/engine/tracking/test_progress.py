import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from wmframe.engine.tracking.progress import PLAIN_SECONDS, Progress, shown_rate, shown_time


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def plain() -> tuple[Progress, io.StringIO, Clock]:
    stream, clock = io.StringIO(), Clock()
    return Progress(stream, clock=clock), stream, clock


def test_without_a_terminal_lines_are_plain_and_rare() -> None:
    progress, stream, clock = plain()
    with progress.stage("vision", total=2000, unit="steps") as bar:
        for step in range(1, 2001):
            clock.now += 0.25
            bar.update(done=step, note=f"nll {step}")
    lines = stream.getvalue().splitlines()
    assert lines[0] == "vision  starting: 0 % 0/2000 steps"
    assert lines[1] == "vision  6 % 120/2000 steps  4 steps/s  7:50 left  nll 120"
    assert lines[-1] == "vision  done: 100 % 2000/2000 steps in 8:20 (4 steps/s)  nll 2000"
    assert len(lines) == 2 + 500 // PLAIN_SECONDS
    assert "\x1b" not in stream.getvalue()


def test_a_resumed_stage_counts_only_its_own_work() -> None:
    progress, stream, clock = plain()
    with progress.stage("memory", total=1000, unit="steps", start=900) as bar:
        clock.now += 50
        bar.update(done=910)
        assert bar.rate() == pytest.approx(0.2)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "memory  resuming at 90 % 900/1000 steps"
    assert lines[1] == "memory  91 % 910/1000 steps  0.2 steps/s  7:30 left"


def test_a_stage_that_breaks_off_says_where() -> None:
    progress, stream, clock = plain()

    def break_off() -> None:
        with progress.stage("collect", total=None, unit="episodes") as bar:
            clock.now += 5
            bar.update(done=3)
            raise KeyError

    with pytest.raises(KeyError):
        break_off()
    assert stream.getvalue().splitlines() == [
        "collect  starting: 0 episodes",
        "collect  stopped at 3 episodes in 0:05 (0.6 episodes/s)",
    ]


def test_nothing_done_has_neither_rate_nor_end() -> None:
    progress, _, clock = plain()
    with progress.stage("vision", total=0, unit="steps") as bar:
        clock.now += 1
        assert bar.line() == "vision  100 % 0/0 steps"
        assert bar.rate() is None


def test_what_is_said_is_one_line_without_control_characters() -> None:
    progress, stream, _ = plain()
    progress.say("collect: cached 3f2a…")
    progress.say("evil\x1b[2J\nname [red]x[/red]")
    assert stream.getvalue().splitlines() == ["collect: cached 3f2a…", "evil�[2J�name [red]x[/red]"]


def test_without_a_stream_it_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(None)
    with progress.stage("vision", total=1, unit="steps") as bar:
        bar.update(done=1)
        progress.say("x")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("terminal", [True, False])
def test_a_stream_that_breaks_stops_nothing(terminal: bool) -> None:
    clock = Clock()
    stream = Terminal() if terminal else io.StringIO()
    progress = Progress(stream, clock=clock)
    with progress.stage("vision", total=9, unit="steps") as bar:
        stream.close()
        for step in range(9):
            clock.now += PLAIN_SECONDS
            bar.update(done=step)
            progress.say("x")


def test_a_live_line_is_drawn_at_most_ten_times_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    clock, stream = Clock(), Terminal()
    progress = Progress(stream, clock=clock)
    with progress.stage("vision", total=10_000, unit="steps") as bar:
        for step in range(10_000):
            clock.now += 0.001
            bar.update(done=step)
    assert 50 < stream.getvalue().count("steps/s") < 110


SCRIPT = """
import sys, time
from wmframe.engine.tracking.progress import Progress
now = [0.0]
progress = Progress(sys.stderr, clock=lambda: now[0])
with progress.stage("vision", total=4, unit="steps") as bar:
    for step in range(1, 5):
        now[0] += 1
        bar.update(done=step, note="nll [b]1[/b] " + "x" * 300)
        if step == 2:
            progress.say("collect: cached 3f2a")
            with progress.stage("inner", total=1, unit="frames") as inner:
                now[0] += 1
                inner.update(done=1)
"""


def run_in_terminal(term: str) -> str:
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": term, "COLUMNS": "60"}
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stderr=follower, env=environment, cwd=Path(__file__).parents[3]
    )
    os.close(follower)
    output = b""
    while True:
        try:
            chunk = os.read(leader, 65536)
        except OSError:  # how Linux says that the other side was closed
            break
        if not chunk:
            break
        output += chunk
    os.close(leader)
    assert process.wait(timeout=30) == 0
    return output.decode()


def test_on_a_terminal_one_line_lives_and_the_said_ones_stay() -> None:
    output = run_in_terminal("xterm")
    assert "\x1b[2K" in output  # the live line is wiped and drawn again
    assert "collect: cached 3f2a\r\n" in output
    assert "inner  done: 100 % 1/1 frames in 0:01 (1 frames/s)\r\n" in output
    assert "vision  50 % 2/4 steps  1 steps/s  0:02 left  nll [b]1[/b]" in output
    assert "vision  done: 100 % 4/4 steps in 0:05" in output
    live = [line for line in output.replace("\r\n", "\n").split("\n") if "left" in line]
    assert all("…" in line for line in live)  # cut to the width, never wrapped


def test_a_dumb_terminal_gets_plain_lines() -> None:
    output = run_in_terminal("dumb")
    assert "\x1b" not in output
    assert output.splitlines()[0] == "vision  starting: 0 % 0/4 steps"


def test_numbers_are_shown_as_people_write_them() -> None:
    assert [shown_time(s) for s in (0, 6.6, 59.6, 754, 18367)] == ["0:00", "0:07", "1:00", "12:34", "5:06:07"]
    assert [shown_rate(r) for r in (0.01234, 4.56, 99.94, 1230.4)] == ["0.0123", "4.56", "99.9", "1230"]


def test_what_is_known_of_the_whole_run_stands_beside_the_stage() -> None:
    progress, stream, clock = plain()
    with progress.within(lambda bar: f"{bar.name} is 1 of 2"), progress.stage("vision", total=4, unit="steps") as bar:
        clock.now += PLAIN_SECONDS
        bar.update(done=2, note="nll 1")
        with progress.stage("inner", total=1, unit="frames"):
            clock.now += PLAIN_SECONDS
            bar.update(done=3)
    with progress.stage("memory", total=1, unit="steps"):
        pass
    said = stream.getvalue().splitlines()
    assert said[0] == "vision  starting: 0 % 0/4 steps  (run: vision is 1 of 2)"
    assert said[1].endswith("left  nll 1  (run: vision is 1 of 2)")
    assert said[2] == "inner  starting: 0 % 0/1 frames"
    assert [line.count("(run: ") for line in said[3:]] == [1, 0, 0, 0, 0, 0]


def test_on_a_terminal_the_run_has_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    progress = Progress(stream, clock=Clock(), label="[1] ")
    with progress.within(lambda _: "stage 1 of 2"), progress.stage("vision", total=4, unit="steps"):
        pass
    assert "[1] vision  0 % 0/4 steps\n[1] run: stage 1 of 2" in stream.getvalue()
