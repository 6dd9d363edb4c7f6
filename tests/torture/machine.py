"""A warm process whose commands meet a machine that is full, read-only, or poor: `python -m tests.torture.machine`.

Before a command begins it is given its limits; while it runs, its writes are watched and refused as `kernel.py` says.
`Machine` is the test's end.
"""

import json
import os
import resource
import socket
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from tests.torture.kernel import Site, Watch, give_in, watch
from tests.torture.warm import Warm, fork, import_everything

TINY: Final = (
    *("env=toy", "preset=smoke", "tracker=none", "trainer.threads=1", "trainer.workers=1"),
    *("vision.steps=4", "memory.steps=4", "search.generations=3", "evaluate.episodes=2", "world.starts=32"),
)
"""Every stage on the toy, with hardly any work."""


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code (negative: the signal that killed it), what it said, and its writes."""

    code: int
    said: str
    sites: tuple[Site, ...] = ()
    hit: bool = False

    def polite(self) -> bool:
        """Whether it ended as a fault of the machine should: with 1, in words."""
        return self.code == 1 and "Traceback" not in self.said and "bug in wmframe" not in self.said


class Machine(Warm):
    """The test's end of the warm process. Close it when done."""

    def __init__(self) -> None:
        super().__init__("tests.torture.machine")

    def run(
        self,
        *arguments: str,
        root: Path,
        watched: bool = False,
        fault: Site | None = None,
        error: str = "",
        lasting: bool = False,
        **limits: Any,
    ) -> Ended:
        """Run `wmframe run` with these arguments under `root`; `limits` as `_limit` has them."""
        answer = self.ask(
            words=["run", *arguments, f"paths.root={root}"],
            root=str(root),
            watched=watched or fault is not None,
            fault=None if fault is None else asdict(fault),
            error=error,
            lasting=lasting,
            limits=limits,
        )
        return Ended(answer["code"], answer["said"], tuple(Site(**site) for site in answer["sites"]), answer["hit"])


def _limit(
    *,
    uid: int | None = None,
    files: int | None = None,
    bytes_a_file: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Be this user, with at most so many open files and so many bytes in one, in this environment."""
    os.environ.update(environment or {})
    if environment is not None and "TMPDIR" in environment:
        tempfile.tempdir = None
    if bytes_a_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_a_file, bytes_a_file))
    if files is not None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    if uid is not None:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)


def _become(request: Mapping[str, Any], log: int, ours: socket.socket, theirs: socket.socket) -> int:
    """Be the command, once it has its limits and the watcher has its calls."""
    from wmframe.cli.main import main

    theirs.close()
    for number in (1, 2):
        os.dup2(log, number)
    _limit(**request["limits"])
    if request["watched"]:
        give_in(ours)
    ours.close()
    return main(request["words"])


def _serve_one(request: Mapping[str, Any]) -> dict[str, Any]:
    fault = None if request["fault"] is None else Site(**request["fault"])
    seen = Watch(Path(request["root"]), fault, request["error"], request["lasting"])
    ours, theirs = socket.socketpair()
    with tempfile.TemporaryFile() as log:
        pid = fork(lambda: _become(request, log.fileno(), ours, theirs))
        ours.close()
        if request["watched"]:
            watch(theirs, seen)
        theirs.close()
        _, status = os.waitpid(pid, 0)
        log.seek(0)
        said = log.read().decode(errors="replace")
    sites = [asdict(site) for site in seen.sites]
    return {"code": os.waitstatus_to_exitcode(status), "said": said, "sites": sites, "hit": seen.hit}


def serve() -> None:
    """Import everything, then answer until standard input ends."""
    import_everything()
    for line in sys.stdin:
        print(json.dumps(_serve_one(json.loads(line))), flush=True)


if __name__ == "__main__":
    serve()
