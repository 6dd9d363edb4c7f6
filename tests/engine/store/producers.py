"""`python -m tests.engine.store.producers ROOT LEDGER POINT [SECONDS]` obtains one artefact, or dies at POINT.

The producer counts to 4 in `work/resume/state.json` and writes one line of the ledger a step, so that a test
sees what was redone.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import wmframe.engine.store.store as store_module
from wmframe.engine.durability.files import read_json, write_atomic, write_json
from wmframe.engine.store.artefact import seal
from wmframe.engine.store.store import Artefact, Request, Store

STEPS = 4
REQUEST = Request(stage="memory", code_version=1, config={"mixtures": 5}, seeds={"train": 3})
BEFORE, HALF, EARLY, WRITTEN, SEALED, RENAMED = "before", "half", "early", "written", "sealed", "renamed"
HANG = "hang"
POINTS = (BEFORE, HALF, EARLY, WRITTEN, SEALED, RENAMED)


def die(*_arguments: Any, **_named: Any) -> None:
    """End this process as a pre-emption does."""
    os.kill(os.getpid(), signal.SIGKILL)


def note(ledger: Path, line: str) -> None:
    """Append one line, whole whatever else writes."""
    with ledger.open("ab", buffering=0) as file:
        file.write(f"{line}\n".encode())


def produce(ledger: Path, point: str = "", seconds: float = 0.0) -> Callable[[Path], None]:
    """Return a producer whose output depends on nothing but its number of steps."""

    def run(work: Path) -> None:
        note(ledger, "run")
        state = work / "resume" / "state.json"
        done = read_json(state)["done"] if state.exists() else 0
        if point == HALF:
            (work / "output" / "facts.json").write_bytes(b"half")
            (work / "output" / "weights.npy.tmp").write_bytes(b"half of a temporary file")
            die()
        for step in range(done, STEPS):
            time.sleep(seconds)
            if point == EARLY and step == STEPS // 2:
                die()
            if point == HANG and step == STEPS // 2:
                time.sleep(600)
            note(ledger, f"step {step}")
            write_json(state, {"done": step + 1})
        (work / "output" / "shards").mkdir(exist_ok=True)
        write_atomic(work / "output" / "shards" / "0.npy", b"\x93NUMPY" + bytes(range(200)))
        write_json(work / "output" / "facts.json", {"steps": STEPS})
        write_atomic(work / "output" / "empty.txt", "")
        if point == WRITTEN:
            die()

    return run


def obtain(root: Path, ledger: Path, point: str = "", seconds: float = 0.0) -> Artefact:
    """Obtain the artefact of `REQUEST`, or die at `point`."""
    if point == BEFORE:
        die()
    if point == SEALED:
        real = seal

        def seal_and_die(*arguments: Any, **named: Any) -> None:
            real(*arguments, **named)
            die()

        store_module.seal = seal_and_die  # type: ignore[attr-defined]
    if point == RENAMED:
        store_module.fsync_folder = die  # type: ignore[attr-defined]
    return Store(root, notice=lambda line: print(line, flush=True)).obtain(REQUEST, produce(ledger, point, seconds))


if __name__ == "__main__":
    name = sys.argv[3] if len(sys.argv) > 3 else ""
    wait = float(sys.argv[4]) if len(sys.argv) > 4 else 0.0
    artefact = obtain(Path(sys.argv[1]), Path(sys.argv[2]), name, wait)
    print(json.dumps(artefact.manifest["files"], sort_keys=True))
