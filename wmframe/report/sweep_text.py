"""A sweep's table as Markdown, CSV and LaTeX. A `Table` comes in, text goes out; called by `wmframe.report.sweep`."""

import csv
import io
import json
import re
from collections.abc import Mapping
from typing import Final

from wmframe.report.numbers import MINUS, number, signed
from wmframe.report.sweep_table import Line, Table, apart, difference_words, paper_words, span

_TEX: Final = str.maketrans(
    {character: f"\\{character}" for character in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", '"': r"\textquotedbl{}"}
    | {"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "[": "{[}", "]": "{]}"}
    | {"±": r"$\pm$", "τ": r"$\tau$", MINUS: "$-$", "–": "--", "\n": " "}
)
_REMARKS: Final = "remarks"
_PREAMBLE: Final = r"\usepackage[T1]{fontenc} and \usepackage{booktabs,graphicx}"


def markdown(table: Table) -> str:
    """Return the table as GitHub's Markdown, its notes below."""
    rows = _written(table)
    rule = ["---"] * len(table.keys) + ["---:" if head != _REMARKS else "---" for head in rows[0][len(table.keys) :]]
    lines = ["| " + " | ".join(map(_plain, cells)) + " |" for cells in [rows[0], rule, *rows[1:]]]
    return "\n\n".join([f"# {_plain(table.title)}", "\n".join(lines), *map(_plain, table.notes)]) + "\n"


def latex(table: Table) -> str:
    """Return the table for LaTeX, as wide as the page at most; the notes as comments above it."""
    heads, *rows = _written(table)
    columns = "l" * len(table.keys) + "".join("r" if head != _REMARKS else "l" for head in heads[len(table.keys) :])
    body = [" & ".join(map(_tex, cells)) + r" \\" for cells in rows]
    notes = [f"{table.title}. Needs {_PREAMBLE}.", *table.notes]
    comments = [f"% {line}" for note in notes for line in note.splitlines()]
    return "\n".join(
        [
            *comments,
            rf"\resizebox{{\ifdim\width>\linewidth\linewidth\else\width\fi}}{{!}}{{\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            " & ".join(map(_tex, heads)) + r" \\",
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}}",
            "",
        ]
    )


def comma_separated(table: Table) -> str:
    """Return the table as CSV: numbers as they are, unrounded; text that a spreadsheet would compute is quoted."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    records = [_record(line, table) for line in table.lines]
    writer.writerow(map(_guarded, records[0]))
    for record in records:
        writer.writerow([_guarded(value) if isinstance(value, str) else value for value in record.values()])
    return buffer.getvalue()


def _written(table: Table) -> list[list[str]]:
    """Return headings and rows, without the columns that say nothing."""
    rows = [_cells(line, table) for line in table.lines]
    told = [number for number, cells in enumerate(zip(*rows, strict=True)) if any(cells)]
    return [[cells[number] for number in told] for cells in (_headings(table), *rows)]


def _headings(table: Table) -> list[str]:
    return [
        *table.keys,
        *(
            table.mean_heading,
            "95 % interval",
            "every run",
            "worst run",
            "runs",
            "episodes each",
            "dream",
            table.gap_heading,
        ),
        *("paper", "difference", _REMARKS),
    ]


def _cells(line: Line, table: Table) -> list[str]:
    places = line.places
    return [
        *line.labels,
        _or_nothing(line.mean, places),
        span(line.interval, places) or line.interval_words,
        ", ".join(number(value, places) for value in line.means),
        _or_nothing(line.worst, places),
        str(len(line.means)) if line.kind == "configuration" else "",
        line.episodes_words,
        _or_nothing(line.dream, places),
        "" if line.gap is None else signed(line.gap, table.gap_places),
        paper_words(line.paper, dream=True),
        difference_words(line, places),
        line.note,
    ]


def _record(line: Line, table: Table) -> Mapping[str, str | float | None]:
    """Return a line's cells for CSV by their headings."""
    interval, difference = line.interval, apart(line)
    return {
        **dict(zip(table.keys, line.labels, strict=True)),
        "kind": line.kind,
        table.mean_heading.replace(" ", "_"): line.mean,
        "low": interval.low if interval is not None else None,
        "high": interval.high if interval is not None else None,
        "interval": "95 % over training runs, bootstrap" if interval is not None else line.interval_words,
        "runs": len(line.means) if line.kind == "configuration" else None,
        "run_means": json.dumps(list(line.means)) if line.runs else None,
        "worst_run": line.worst,
        "episodes_each": line.episodes_words,
        "dream": line.dream,
        table.gap_heading.replace(" ", "_"): line.gap,
        "paper_mean": line.paper.mean if line.paper is not None else None,
        "paper_std": line.paper.std if line.paper is not None else None,
        "paper_dream": line.paper.dream_mean if line.paper is not None else None,
        "difference": line.difference,
        "difference_low": difference.low if difference is not None else None,
        "difference_high": difference.high if difference is not None else None,
        "remarks": line.note,
    }


def _or_nothing(value: float | None, places: int) -> str:
    return "" if value is None else number(value, places)


def _guarded(text: str) -> str:
    """Keep a spreadsheet from taking text for a formula; a number, however typed, stays one."""
    if re.fullmatch(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", text):
        return text
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _plain(text: str) -> str:
    """Escape what Markdown would read as markup."""
    return re.sub(r"([\\|`*_<>\[\]#~])", r"\\\1", " ".join(text.split()))


def _tex(text: str) -> str:
    return text.translate(_TEX)
