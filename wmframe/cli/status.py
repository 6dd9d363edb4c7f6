"""`wmframe status`: runs, finished and not, and stages that were begun."""

import time
from collections.abc import Sequence
from pathlib import Path

from wmframe.agents.find import find_run
from wmframe.cli.tell import tell
from wmframe.cli.values import parse_values
from wmframe.engine.errors import UserError
from wmframe.engine.runs.runs import all_runs
from wmframe.report.numbers import duration
from wmframe.report.scoreboard import board, headline

HELP = """List runs and artefacts, finished and in progress.

usage: wmframe status [RUN] [last=50] [root=DIR]

  wmframe status                  the newest runs of this folder, and stages that were begun and not finished
  wmframe status last=1000        more of them
  wmframe status latest           one run: its stages, its scores, how to see more
"""


def execute(arguments: Sequence[str]) -> int:
    """Print the newest runs, or one."""
    given = parse_values(arguments, {"root": ".", "last": "50"}, most_names=1, usage=HELP)
    root = Path(given.values["root"])
    if given.names:
        return _one(given.names[0], root)
    everything, last = all_runs(root / "runs"), given.whole("last", least=1)
    found = everything[-last:]  # of the others only the names are read, however many there are
    if len(found) < len(everything):
        older = len(everything) - len(found)
        tell(f"{older:,} older runs are not shown: wmframe status last={len(everything)} shows all")
    if not found:
        tell(f"no runs under {root / 'runs'} yet. The first: wmframe run env=toy preset=smoke tracker=none")
    for run in found:
        try:
            record = run.record()
        except UserError as error:
            tell(f"damaged   {run.name}  {error}")
            continue
        told = filter(None, (duration(record.seconds), headline(record), record.error))
        tell(f"{record.state:<9} {run.name}  {'  '.join(told)}")
    for work in sorted(root.glob("artefacts/*/*.work")):
        age = duration(time.time() - max(path.stat().st_mtime for path in [work, *work.rglob("*")]))
        tell(f"begun     {work.parent.name} {work.stem}, last touched {age} ago; the same command continues it")
    return 0


def _one(name: str, root: Path) -> int:
    run = find_run(name, runs=root / "runs")
    record = run.record()
    tell(f"{run.folder}\n{record.state}, begun {record.started}: {record.command}")
    if record.error:
        tell(f"it failed: {record.error}")
    for stage in record.stages:
        tell(f"  {stage.name:<19} {stage.state:<7} {stage.key}  {duration(stage.seconds)}")
    if said := board(record):
        tell("\n".join(said))
    tell(f"page: {run.folder / 'report.html'}")
    return 0
