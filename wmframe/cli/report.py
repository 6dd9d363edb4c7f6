"""`wmframe report`: write a run's page again, or a sweep's tables."""

from collections.abc import Sequence
from pathlib import Path

from wmframe.agents.find import find_run
from wmframe.cli.tell import tell
from wmframe.cli.values import parse_values
from wmframe.engine.runs.sweeps import find_sweep

HELP = """Write a run's page, or a sweep's table: scores, curves, pictures of the dream.

usage: wmframe report [RUN] [root=.] [--allow MODULE]
       wmframe report --sweep [DIR] [root=.]

  wmframe report latest                   runs/<RUN>/report.html
  wmframe report --sweep latest           sweeps/<DIR>/report.html, table.md, table.csv, table.tex

RUN and DIR are folders, their names, or "latest". A page is one file without any outside part. A sweep may be finished,
still running or crashed: what is missing stands in its table, with the cause.
"""

_SWEEP = "--sweep"


def execute(arguments: Sequence[str]) -> int:
    """Write the page and print its path."""
    # --sweep=DIR and --sweep DIR alike: what it names is the one bare word there is
    rest = [word.removeprefix(f"{_SWEEP}=") for word in arguments if word != _SWEEP]
    given = parse_values(rest, {"root": "."}, most_names=1, usage=HELP)
    named, root = given.names[0] if given.names else "latest", Path(given.values["root"])
    if any(word.partition("=")[0] == _SWEEP for word in arguments):
        sweep = find_sweep(named, sweeps=root / "sweeps")
        from wmframe.report.sweep import write_sweep  # after the name is known to be right: it imports matplotlib

        tell(f"page: {write_sweep(sweep)}")
        return 0
    run = find_run(named, runs=root / "runs")
    from wmframe.report.gather import write_page

    tell(f"page: {write_page(run, allowed=given.allowed)}")
    return 0
