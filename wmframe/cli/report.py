"""`wmframe report RUN`: write a run's page again."""

from collections.abc import Sequence
from pathlib import Path

from wmframe.cli.values import parse_values
from wmframe.pipeline.runs import find_run

HELP = """Write a run's page: scores, curves, pictures of the dream.

usage: wmframe report [RUN] [root=.] [--allow MODULE]

  wmframe report latest

The page is one file without any outside part: runs/<RUN>/report.html.
"""


def execute(arguments: Sequence[str]) -> int:
    """Write the page and print its path."""
    given = parse_values(arguments, {"root": "."}, most_names=1, usage=HELP)
    run = find_run(given.names[0] if given.names else "latest", runs=Path(given.values["root"]) / "runs")
    from wmframe.report.gather import write_page

    print(f"page: {write_page(run, allowed=given.allowed)}")
    return 0
