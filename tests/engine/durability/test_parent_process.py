"""Real processes: whoever works for another ends with it, also one that was never given any work."""

import os
import signal
import subprocess
import sys
import time

import pytest

from wmframe.engine.durability.parent_process import children

OWNER = """
import os, subprocess, sys, time
follower = "import os, signal, sys, time; from wmframe.engine.durability.parent_process import follow;" \\
    "follow(int(sys.argv[1]), signal.SIGTERM, with_siblings=True); time.sleep(2);" \\
    "print('up', flush=True); time.sleep(60)"
idle = "import time; time.sleep(60)"
started = [subprocess.Popen([sys.executable, "-c", code, str(os.getpid())], stdout=subprocess.PIPE)
           for code in (follower, idle)]
started[0].stdout.readline()
print(*(process.pid for process in started), flush=True)
time.sleep(60)
"""


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] == "Z"  # nobody here collects it


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="siblings are found in /proc")
def test_workers_go_with_their_owner_and_take_the_idle_along() -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    workers = [int(pid) for pid in owner.stdout.readline().split()]
    assert sorted(children(owner.pid)) == sorted(workers)
    owner.send_signal(signal.SIGKILL)
    owner.communicate()
    until = time.monotonic() + 10
    while not all(map(gone, workers)):
        assert time.monotonic() < until, workers
        time.sleep(0.05)


def test_an_owner_that_is_gone_already_is_noticed() -> None:
    code = "import time; from wmframe.engine.durability.parent_process import follow; follow(1 << 22); time.sleep(60)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=30).returncode == -signal.SIGKILL
