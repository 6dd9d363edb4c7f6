"""From a sweep's folder to its table: a page, Markdown, CSV and LaTeX beside sweep.json.

A sweep comes in, finished, partial or crashed; four files go out. Called at the end of a multirun and by
`wmframe report --sweep`. The same runs give the same bytes.
"""

from pathlib import Path

from wmframe.engine.durability.files import write_atomic
from wmframe.engine.runs.sweeps import Sweep
from wmframe.report.sweep_page import render
from wmframe.report.sweep_rows import gather_rows
from wmframe.report.sweep_table import tabulate
from wmframe.report.sweep_text import comma_separated, latex, markdown


def write_sweep(sweep: Sweep) -> Path:
    """Write report.html, table.md, table.csv and table.tex into the sweep's folder; return the page's path."""
    rows = gather_rows(sweep)
    table = tabulate(rows)
    files = {
        "table.md": markdown(table),
        "table.csv": comma_separated(table),
        "table.tex": latex(table),
        "report.html": render(rows, table),
    }
    for name, text in files.items():
        write_atomic(sweep.folder / name, text)
    return sweep.folder / "report.html"
