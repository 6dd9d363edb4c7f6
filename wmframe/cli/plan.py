"""`wmframe plan`: what `run` would compute, what is cached, and why. Computes nothing, imports no torch."""

from collections.abc import Sequence

from wmframe.cli.overrides import parse
from wmframe.cli.prepare import Job, prepare
from wmframe.pipeline.graph import graph, root_of
from wmframe.pipeline.store import Store

HELP = """Say what `run` would compute, what is cached, and why.

usage: wmframe plan [-m] [--config-dir DIR] [--allow MODULE] [key=value ...]

  wmframe plan experiment=car_racing preset=quick memory.mixtures=1
  wmframe plan -m world.temperature=0.5,1.0,1.15

Takes what `run` takes. A stage's line says "cached", "continues" or "will run", its key, and why: the
fields that differ from the nearest result there is, old → new.
"""

_SHOWN = 3
"""Reasons printed for a stage."""


def execute(arguments: Sequence[str]) -> int:
    """Print every job's stages; what an earlier job of a sweep would compute counts as cached for the later ones."""
    jobs = prepare(parse(arguments))
    planned: set[str] = set()
    for number, job in enumerate(jobs, 1):
        if len(jobs) > 1:
            print(f"job {number} of {len(jobs)}: {' '.join(job.overrides)}")
        _print_job(job, planned)
    if len(jobs) > 1:
        print(f"in all: {len(planned)} stages will run for {len(jobs)} jobs")
    return 0


def _print_job(job: Job, planned: set[str]) -> None:
    store = Store(root_of(job.experiment) / "artefacts")
    for node in graph(job.experiment):
        request = node.request
        status = store.status(request.stage, request.key)
        if status.state == "cached":
            said, why = "cached", ""
        elif request.key in planned:
            said, why = "shared", "computed by an earlier job of this sweep"
        else:
            said = "continues" if status.state == "partial" else "will run"
            why = _short(store.why(request))
        planned |= {request.key} - ({request.key} if status.state == "cached" else set())
        print(f"  {node.name:<14} {said:<10} {request.key}  {why}".rstrip())


def _short(reasons: Sequence[str]) -> str:
    more = f"; and {len(reasons) - _SHOWN} more" if len(reasons) > _SHOWN else ""
    return "; ".join(reasons[:_SHOWN]) + more
