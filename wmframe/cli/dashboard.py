"""`wmframe dashboard`: a local page over the runs, live while they go on."""

import errno
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

from wmframe.cli.values import parse_values
from wmframe.engine.durability.signals import Stopped
from wmframe.engine.errors import UserError

HELP = """Serve a local page over all runs, live while they go on.

usage: wmframe dashboard [--port 7007] [--root .] [--allow MODULE]

  wmframe dashboard                     the runs of this folder, on http://127.0.0.1:7007
  wmframe dashboard --port 0            on any free port
  wmframe dashboard --root ~/project    the runs of another folder

Runs in a table that sorts and filters, sweeps grouped; for those that are chosen: curves overlaid, what differs in
their configs, the pictures of their pages, and the lineage from score back to data. It reads and never writes, needs
no account and asks nobody for anything. Only this machine is answered, but whoever has an account on it may look while
it runs. From a machine elsewhere: ssh -L 7007:127.0.0.1:7007 HOST. Ctrl-C ends it.

--allow names a module of your own parts, as for `run`: a run's progress is read off its config. Nothing of it is
imported.
"""


def execute(arguments: Sequence[str]) -> int:
    """Serve until interrupted."""
    given = parse_values(list(_spelled_out(arguments)), {"port": "7007", "root": "."}, most_names=0, usage=HELP)
    port, root = given.whole("port"), Path(given.values["root"]).expanduser()
    if port > 65535:
        raise UserError(f"--port {port}: use 0 (any free one) to 65535")
    if not root.is_dir():
        raise UserError(f"--root {root}: there is no such folder")
    from wmframe.dashboard.overview import Project
    from wmframe.dashboard.server import Server

    try:
        server = Server(Project(root), port)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise UserError(f"port {port} cannot be had ({error.strerror}); any free one: --port 0", exit_code=1) from error
    with server:
        try:
            print(f"dashboard: {server.url}  (Ctrl-C ends it)", flush=True)
            server.serve_forever()
        except Stopped as stopped:
            if stopped.signal != signal.SIGINT:
                raise
            print()
    return 0


def _spelled_out(arguments: Sequence[str]) -> Iterator[str]:
    """Yield `--port N` and `--port=N` as the pairs port=N that all commands read."""
    rest = iter(arguments)
    for argument in rest:
        flag, equals, value = argument.removeprefix("--").partition("=")
        if argument.startswith("--") and flag in {"port", "root"}:
            yield f"{flag}={value if equals else next(rest, '')}"
        else:
            yield argument
