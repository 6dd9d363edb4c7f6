"""Print one table of all comparisons and keep it as `build/bench.json`: `make bench`, or `make bench-quick`."""

import argparse
import json
import os
import platform
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as `wmframe` does, and as early

import torch

from benchmarks import dreams, tracks, training
from benchmarks.measure import Effort, Row
from wmframe.engine.machine import Machine

FULL, QUICK = Effort(turns=7, seconds=1.5), Effort(turns=5, seconds=0.6)

GROUPS: dict[str, Callable[[Effort], list[Row]]] = {
    "tracks": tracks.rows,
    "dreams": dreams.rows,
    "training": training.rows,
}


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| loop | ours | the other | | ratio | spread over turns |", "|---|---:|---:|---|---:|---|"]
    for row in rows:
        low, high = row.spread
        lines.append(
            f"| {row.name} | {row.ours:,.0f} {row.unit} | {row.other:,.0f} | {row.against} "
            f"| {row.ratio:.2f} | {low:.2f} to {high:.2f}, n {len(row.ratios)} |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the groups asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="five short turns a row, about two minutes in all")
    parser.add_argument("--only", nargs="*", choices=[*GROUPS], default=[*GROUPS], help="groups of rows")
    parser.add_argument("--output", type=Path, default=Path("build/bench.json"))
    options = parser.parse_args(arguments)
    Machine(accelerator="cpu").settle()
    rows: list[Row] = []
    for group in options.only:
        rows += GROUPS[group](QUICK if options.quick else FULL)
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps({"rows": [row.plain() for row in rows], "machine": _machine()}, indent=1))
    print(table(rows))


def _machine() -> dict[str, object]:
    return {"processor": platform.processor() or platform.machine(), "threads": torch.get_num_threads()}


if __name__ == "__main__":
    main()
