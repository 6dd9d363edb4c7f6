"""Agents that travel: an entry is a project of its own, small enough to be shipped, with one run in it.

    <entry>/runs/<name>/{config.yaml, graph.json, run.json}
    <entry>/artefacts/<stage>/<key>/           its agent, and its scores

`pack` makes an entry of a finished run. `unpack` copies one of those that wmframe ships (`wmframe/zoo/`) into a
project, where it is a run like any other. Called by `wmframe export`, and by `find_run` for names that begin with
`zoo/`.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from secrets import token_hex
from typing import Final

from wmframe.engine.config.suggest import did_you_mean, nearest
from wmframe.engine.errors import UserError
from wmframe.engine.runs.runs import CONFIG, GRAPH, Run

PREFIX: Final = "zoo/"

PACKED: Final = frozenset({"agent", "scores"})
"""What travels, by what stages publish; an agent needs nothing else."""

_SHIPPED: Final = Path(__file__).parents[1] / "zoo"


def entries() -> list[str]:
    """Return the names of the agents that wmframe ships, as commands take them."""
    return sorted(f"{PREFIX}{folder.parent.name}" for folder in _SHIPPED.glob("*/runs"))


def shipped_agent(named: str) -> str:
    """Return the key of the shipped agent `named` ("zoo/…"). Raises UserError for a name that is not shipped."""
    return Run(_run_in(_entry(named))).published("agent").key


def unpack(named: str, root: Path) -> Path:
    """Copy the shipped agent `named` ("zoo/…") into the project at `root`, if it is not there; return its run's folder.

    Raises UserError for a name that is not shipped.
    """
    entry = _entry(named)
    for folder in sorted(entry.glob("artefacts/*/*")):
        copy_folder(folder, root / folder.relative_to(entry))
    run = _run_in(entry)
    copy_folder(run, root / run.relative_to(entry))
    return root / run.relative_to(entry)


def _run_in(entry: Path) -> Path:
    [run] = (folder for folder in entry.glob("runs/*") if not folder.is_symlink())
    return run


def _entry(named: str) -> Path:
    if named not in entries():
        raise UserError(
            f"{named}: wmframe ships no such agent.{did_you_mean(nearest(named, entries(), cutoff=0.3))} "
            f"It ships {', '.join(entries()) or 'none'}."
        )
    return _SHIPPED / named.removeprefix(PREFIX)


def pack(run: Path, agent: str, artefacts: Sequence[Path], entry: Path) -> Path:
    """Begin an entry: copy a run's config, its graph, its artefacts' folders; return where its run.json belongs.

    `agent` is the key of its agent.
    """
    for folder in artefacts:
        copy_folder(folder, entry / "artefacts" / folder.parent.name / folder.name)
    packed = entry / "runs" / f"{entry.name}-{agent[:8]}"  # another agent under the same name is another run
    packed.mkdir(parents=True, exist_ok=True)
    for name in (CONFIG, GRAPH):
        shutil.copyfile(run / name, packed / name)
    return packed


def copy_folder(folder: Path, to: Path) -> None:
    """Copy a folder to a place where nothing stands yet, whole or not at all."""
    if to.exists():
        return
    to.parent.mkdir(parents=True, exist_ok=True)
    temporary = to.with_name(f".{token_hex(8)}.tmp")
    try:
        shutil.copytree(folder, temporary)
        temporary.rename(to)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
