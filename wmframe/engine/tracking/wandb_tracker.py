"""Weights & Biases as a mirror: in the run's folder and without a network by default, with an account when
asked for.

Comes in: rows, media, tables, artefacts, a summary. Goes out: `<run folder>/wandb/`, which `wandb leet` shows and
`wandb sync` uploads. Called as every tracker is. wandb itself lives in a process of its own (`wandb_worker.py`), to
which messages go through a pipe that is never waited for: when wandb crashes, hangs or loses its network, training
does not notice.
"""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, final

from wmframe.engine.durability import signals
from wmframe.engine.tracking.history import Row
from wmframe.engine.tracking.tracker import ArtefactInfo, RunInfo, Tracker, to_stderr

FINISH_SECONDS = 60.0
"""How long the end of a run may wait for wandb; what is not uploaded by then is left to `wandb sync`."""

STOP_SECONDS = 3.0
"""How long it may wait where the process was asked to stop and will soon be ended otherwise."""

BUFFER_BYTES = 16_000_000
"""How much may wait for a wandb that does not keep up; then rows are left out of the mirror."""

SMALL_BYTES = 1_000_000
"""Files of artefacts up to this size go along; of larger ones W&B is told name, size and sha256."""

_WORKER = Path(__file__).with_name("wandb_worker.py")


@final
class WandbTracker(Tracker):
    """Mirrors a run to W&B.

    `mode` is "offline" (nothing leaves the machine) or "online" (needs `wandb login` once; without it, or
    without an answer, the run is recorded offline). `group` puts runs together in W&B's table; None takes the
    run's own.
    """

    def __init__(
        self,
        *,
        mode: Literal["offline", "online"] = "offline",
        project: str = "wmframe",
        entity: str | None = None,
        group: str | None = None,
    ) -> None:
        self._mode = mode
        self._project = project
        self._entity = entity
        self._group = group
        self._notice: Callable[[str], None] = to_stderr
        self._process: subprocess.Popen[bytes] | None = None
        self._waiting = bytearray()
        self._heard = bytearray()
        self._full = False

    def start(self, run: RunInfo, notice: Callable[[str], None] = to_stderr) -> None:
        """Open the run in W&B, under `run.id`: what is told under one id is one run there, the newest telling of it."""
        self._notice = notice
        inside = run.folder / "wandb"
        try:
            inside.mkdir(exist_ok=True)
            with (inside / "worker.log").open("ab") as log:
                self._process = subprocess.Popen(  # noqa: S603 (our own file, by our own interpreter, without a shell)
                    [sys.executable, "-P", str(_WORKER)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    bufsize=0,
                    env=_environment(inside),
                    cwd=inside,  # wandb takes its settings, its server among them, from where it is started
                    start_new_session=True,
                )
        except OSError as error:
            notice(f"W&B could not be started ({error}); history.jsonl has everything")
            return
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
        facts = {
            "project": self._project,
            "entity": self._entity,
            "group": self._group if self._group is not None else run.group,
            "id": run.id,
            "name": run.name,
            "notes": run.notes,
            "tags": list(run.tags),
            "config": dict(run.config),
            "dir": str(run.folder.absolute()),
        }
        self._send(do="start", online=self._mode == "online", finish_seconds=FINISH_SECONDS / 2, run=facts)

    def log(self, row: Row) -> None:
        """Mirror one row, each stage over its own step."""
        self._send(do="log", step=row["step"], values={name: row[name] for name in row if name != "step"})

    def media(self, name: str, path: Path, caption: str = "") -> None:
        """Have a picture, film or page copied into the run, soon: `path` must stay as it is until the run ends."""
        self._send(do="media", name=name, path=str(path.absolute()), caption=caption)

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Log a table."""
        self._send(do="table", name=name, columns=list(columns), rows=[list(row) for row in rows])

    def artefact(self, info: ArtefactInfo) -> None:
        """Log what the run made as its output, and what it took from the store as its input: W&B's lineage."""
        folder = info.folder.absolute()
        small = {name: str(folder / name) for name, size in info.files.items() if size <= SMALL_BYTES}
        self._send(do="artefact", name=info.name, kind=info.kind, made=info.made, facts=dict(info.facts), files=small)

    def summary(self, values: Mapping[str, Any]) -> None:
        """Set the run's final values, plain data."""
        self._send(do="summary", values=dict(values))

    def finish(self, *, failed: bool = False) -> None:
        """Close the run, waiting at most `FINISH_SECONDS`, or `STOP_SECONDS` where the process was asked to stop."""
        self._send(do="finish", exit_code=int(failed))
        patience = STOP_SECONDS if signals.asked() else FINISH_SECONDS
        process, deadline = self._process, time.monotonic() + patience
        if process is None or process.stdin is None:
            return
        while self._process is not None and self._waiting and time.monotonic() < deadline:
            select.select([], [process.stdin], [], 0.1)
            self._flush()
        if self._process is None:
            return
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._notice("W&B did not finish in time and was ended; history.jsonl has everything")
        self._listen()
        self._end(process)

    def _send(self, **message: Any) -> None:
        if self._process is None:
            return
        line = json.dumps(message, default=str).encode() + b"\n"
        if len(self._waiting) + len(line) > BUFFER_BYTES:
            if not self._full:
                self._notice("W&B does not keep up, so rows are left out there; history.jsonl has everything")
            self._full = True
            return
        self._waiting += line
        self._flush()
        self._listen()

    def _flush(self) -> None:
        """Give the worker what it takes at once."""
        if self._process is None or self._process.stdin is None:
            return
        try:
            while self._waiting:
                written = os.write(self._process.stdin.fileno(), self._waiting[:65536])
                del self._waiting[:written]
        except BlockingIOError:
            return
        except OSError:
            self._listen()
            self._notice("W&B's process ended before the run did; history.jsonl has everything")
            self._end(self._process)

    def _listen(self) -> None:
        if self._process is None or self._process.stdout is None:
            return
        with suppress(BlockingIOError):
            while chunk := os.read(self._process.stdout.fileno(), 65536):
                self._heard += chunk
        *lines, rest = self._heard.split(b"\n")
        self._heard = rest
        for line in lines:
            with suppress(ValueError):  # wandb itself may have printed something
                self._notice(str(json.loads(line)))

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        self._process = None
        if process.poll() is None:
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        process.wait()


def _environment(inside: Path) -> dict[str, str]:
    """Return the worker's environment: no error reports to wandb's makers, caches in the run's folder, unless
    set by the user.
    """
    ours = {
        "WANDB_ERROR_REPORTING": "false",
        "WANDB_CACHE_DIR": str(inside.absolute() / "cache"),
        "WANDB_DATA_DIR": str(inside.absolute() / "data"),
    }
    return ours | os.environ
