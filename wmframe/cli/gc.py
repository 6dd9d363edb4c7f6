"""`wmframe gc`: what of the artefacts nobody needs any more, listed or deleted."""

from collections.abc import Sequence
from pathlib import Path

from wmframe.cli.tell import tell
from wmframe.cli.values import parse_values
from wmframe.engine.errors import UserError
from wmframe.engine.runs.garbage import delete, find_garbage, total
from wmframe.report.numbers import duration, size

HELP = """List what may be deleted, and with --delete, delete it.

usage: wmframe gc [--delete] [days=N] [root=DIR]

  wmframe gc                   list it; nothing is touched
  wmframe gc --delete          delete it
  wmframe gc days=0            also what was made or touched within the last 7 days

damaged     a result that was set aside because a byte was wrong; it was computed again since, or will be
given up    what an interrupted stage would go on from, once it has not been touched for `days` days (7)
of no run   a result that no run under runs/ was made with, nor was made of, once it is as old: delete a run's folder,
            and what it alone needed is listed here

What a process is at work on stays. A result that is missed later is computed again.
"""


def execute(arguments: Sequence[str]) -> int:
    """List what may go, or delete it."""
    wanted = [argument for argument in arguments if argument != "--delete"]
    given = parse_values(wanted, {"root": ".", "days": "7"}, most_names=0, usage=HELP)
    root = Path(given.values["root"])
    if not root.is_dir():
        raise UserError(f"root={root}: there is no such folder")
    deleting = len(wanted) < len(arguments)
    found = find_garbage(root, days=given.whole("days"))
    gone = []
    for garbage in found:
        done = delete(garbage) if deleting else None
        said = {None: "may go", True: "deleted", False: "in use"}[done]
        gone += [garbage] * (done is not False)
        where = garbage.path.relative_to(root)
        tell(f"{said:<8} {garbage.why:<12} {size(garbage.size):>8}  {where}, last touched {duration(garbage.age)} ago")
    tell(f"in all: {len(gone)} {'deleted' if deleting else 'that may go'}, {size(total(gone))}")
    if gone and not deleting:
        tell("nothing was deleted yet: wmframe gc --delete")
    return 0
