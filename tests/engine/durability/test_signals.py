"""When a signal becomes an exception, and what becomes of those who never look."""

import signal
import subprocess
import sys
import threading
import time

import pytest

from wmframe.engine.durability import signals
from wmframe.engine.durability.signals import Stopped, asked, check, gently, heeded, retake


def test_without_a_say_the_signal_stops_at_once() -> None:
    with pytest.raises(Stopped) as stopped, heeded():
        signal.raise_signal(signal.SIGTERM)
    assert stopped.value.exit_code == 143
    with pytest.raises(Stopped) as stopped, heeded():
        signal.raise_signal(signal.SIGINT)
    assert stopped.value.exit_code == 130


def test_gentle_work_chooses_the_moment() -> None:
    done = []

    def work() -> None:
        for step in range(3):
            if step == 1:
                signal.raise_signal(signal.SIGTERM)
                signal.raise_signal(signal.SIGTERM)  # schedulers repeat themselves
                assert asked()
            done.append(step)
            check()

    with pytest.raises(Stopped), heeded(), gently():
        work()
    assert done == [0, 1]


def test_the_end_of_gentle_work_is_a_moment_too() -> None:
    def work() -> None:
        with gently():
            signal.raise_signal(signal.SIGINT)
        pytest.fail("it went on")

    with pytest.raises(Stopped), heeded():
        work()


def test_a_second_ctrl_c_does_not_wait() -> None:
    def work() -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        pytest.fail("it waited")

    with pytest.raises(Stopped), heeded(), gently():
        work()


def test_others_at_work_are_told_once() -> None:
    told: list[str] = []

    def work() -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        check()

    with pytest.raises(Stopped), heeded(), gently(also=lambda: told.append("told")), gently():
        work()
    assert told == ["told"]


def test_handlers_are_taken_back_from_libraries_and_given_back_at_the_end() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    def work() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        retake()
        signal.raise_signal(signal.SIGTERM)

    with pytest.raises(Stopped), heeded():
        work()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    with heeded():
        assert not asked(), "what was asked is over with the block"


def test_outside_of_the_main_thread_signals_are_somebody_elses() -> None:
    before, seen = signal.getsignal(signal.SIGTERM), []

    def look() -> None:
        with heeded():
            retake()
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [before]


NEVER_LOOKS = """
import signal, time
from wmframe.engine.durability import signals
signals.LATE_SECONDS, signals.GONE_SECONDS = 0.3, 0.8
try:
    with signals.heeded(), signals.gently():
        print("ready", flush=True)
        {work}
except signals.Stopped as stopped:
    print("late", flush=True)
    raise SystemExit(stopped.exit_code)
"""


@pytest.mark.parametrize(
    ("work", "said"),
    [
        ("time.sleep(60)", "late"),  # what waits is interrupted
        ("while True:\n            try: time.sleep(60)\n            except BaseException: pass", ""),  # or else ended
    ],
)
def test_whoever_never_looks_is_ended(work: str, said: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", NEVER_LOOKS.format(work=work)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.terminate()
    began = time.monotonic()
    out, told = process.communicate(timeout=30)
    assert process.returncode == 143
    assert out.strip() == said
    assert ("in the middle of a step" in told) == (said == "")
    assert time.monotonic() - began < 5
    assert signals.LATE_SECONDS < signals.GONE_SECONDS < 10, "the promise is ten seconds"
