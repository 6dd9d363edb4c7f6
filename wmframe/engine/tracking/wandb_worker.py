"""The process that talks to Weights & Biases, so that the one that trains never has to: wandb may crash, hang
or ask there.

Comes in: one JSON object a line on standard input, as `WandbTracker` writes them: `start`, `log`, `media`,
`table`, `artefact`, `summary`, `finish`. Goes out: W&B's files or uploads, and lines for the user on standard output.
Run as a script; it imports wandb and nothing of wmframe.
"""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

INIT_SECONDS = 30.0
PATIENCE = 3
"""Failures in a row after which wandb is not called again: each may have cost a time-out."""

ORPHAN_SECONDS = 8.0
"""How long the run may take to close after the training process died without a word."""

_PICTURES = frozenset({".png", ".webp", ".jpg", ".jpeg"})
_FILMS = frozenset({".gif", ".mp4", ".webm"})


class Worker:
    """One run in W&B. `do` never raises; the first fault is told, the rest is silence."""

    def __init__(self) -> None:
        self._wandb: Any = None
        self._run: Any = None
        self._stages: set[str] = set()
        self._failures = 0
        self._said = False

    def do(self, message: dict[str, Any]) -> None:
        """Carry out one message: the method that `do` names, with the other fields as its arguments."""
        if self._failures >= PATIENCE:
            return
        try:
            getattr(self, f"on_{message.pop('do')}")(**message)
            self._failures = 0
        except Exception as error:  # whatever it is, it is the mirror that broke and not the run
            self._failures += 1
            first = (str(error).splitlines() or ["no message"])[0][:200]
            self._say(f"W&B failed ({type(error).__name__}: {first}); history.jsonl has everything")

    def on_start(self, *, online: bool, finish_seconds: float, run: dict[str, Any]) -> None:
        """Open the run, offline where the network or the account is missing."""
        import wandb

        self._wandb = wandb
        settings = wandb.Settings(
            console="off",
            silent=True,
            host="unnamed",
            symlink=False,
            init_timeout=INIT_SECONDS,
            finish_timeout=finish_seconds,
            # Code, command line, host and installed packages are nobody's business: provenance says what
            # matters.
            save_code=False,
            disable_code=True,
            disable_git=True,
            disable_job_creation=True,
            x_disable_meta=True,
            x_disable_machine_info=True,
            x_disable_stats=True,
            x_save_requirements=False,
        )
        if not online or not self._start_online(settings, run):
            self._run = wandb.init(mode="offline", settings=settings, **run)

    def _start_online(self, settings: Any, run: dict[str, Any]) -> bool:
        try:
            # wandb.init would ask for a key at a terminal; login does not when told so.
            if self._wandb.login(prompt=False):
                # Without `resume`: a run that goes on tells all of its history again, which so replaces what W&B had.
                self._run = self._wandb.init(mode="online", settings=settings, **run)
                return True
            self._say("no W&B account is set up here, so the run is recorded offline; `wandb login` sets one up")
        except Exception as error:  # no network, a refused key, a server in trouble
            self._say(f"W&B does not answer ({type(error).__name__}), so the run is recorded offline")
        return False

    def on_log(self, *, step: int, values: dict[str, float]) -> None:
        """Log one row, each stage over its own step."""
        stages = {name.partition("/")[0] for name in values}
        for stage in sorted(stages - self._stages):
            self._run.define_metric(f"{stage}/step", hidden=True)
            self._run.define_metric(f"{stage}/*", step_metric=f"{stage}/step")
            self._stages.add(stage)
        self._run.log(values | {f"{stage}/step": step for stage in stages})

    def on_media(self, *, name: str, path: str, caption: str) -> None:
        """Copy a picture, a film or a page into the run."""
        kind = Path(path).suffix
        if kind in _PICTURES:
            self._run.log({name: self._wandb.Image(path, caption=caption or None)})
        elif kind in _FILMS:
            self._run.log({name: self._wandb.Video(path, caption=caption or None, format=kind[1:])})
        elif kind == ".html":
            self._run.log({name: self._wandb.Html(path, inject=False)})
        else:
            raise ValueError(f"{Path(path).name} is neither a picture nor a film nor a page")

    def on_table(self, *, name: str, columns: list[str], rows: list[list[Any]]) -> None:
        """Log a table."""
        self._run.log({name: self._wandb.Table(columns=columns, data=rows)})

    def on_artefact(self, *, name: str, kind: str, made: bool, facts: dict[str, Any], files: dict[str, str]) -> None:
        """Declare an output of the run, or an input."""
        artefact = self._wandb.Artifact(name, type=kind, metadata=facts)
        for inside, path in files.items():
            artefact.add_file(path, name=inside)
        if made:
            self._run.log_artifact(artefact)
        else:
            # What `use_artifact` does with one that W&B may not know yet; it alone refuses to do so offline.
            self._run._log_artifact(artefact, is_user_created=True, use_after_commit=True)

    def on_summary(self, *, values: dict[str, Any]) -> None:
        """Set the run's final values."""
        self._run.summary.update(values)

    def on_finish(self, *, exit_code: int) -> None:
        """Close the run."""
        self._run.finish(exit_code=exit_code)
        self._wandb.teardown()

    def _say(self, line: str) -> None:
        if not self._said:
            self._said = True
            print(json.dumps(line), file=sys.__stdout__, flush=True)


def _watch(owner: int) -> None:
    """End this process, and what wandb started, soon after the training process is gone, whatever wandb is at."""
    while os.getppid() == owner:
        time.sleep(0.5)
    time.sleep(ORPHAN_SECONDS)
    if os.getpgid(0) == os.getpid():  # a session of its own, as the tracker starts it
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def main() -> None:
    """Carry out what comes in until `finish`, or until the training process is gone."""
    # A terminal's Ctrl-C and a scheduler's SIGTERM are for the training process, which then says `finish`.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()
    worker = Worker()
    for line in sys.stdin:
        try:
            message = json.loads(line)
        except ValueError:
            break  # the training process died within this line
        worker.do(message)
        if "exit_code" in message:
            return
    worker.do({"do": "finish", "exit_code": 1})


if __name__ == "__main__":
    main()
