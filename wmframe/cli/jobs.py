"""Jobs run one after the other, each with its scoreboard and page; a sweep ends with a table.

Bound jobs come in, an exit code goes out. Called by `wmframe run` once everything was checked.
"""

import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from wmframe.cli.prepare import Job
from wmframe.errors import UserError
from wmframe.pipeline.runner import Order, run
from wmframe.pipeline.runs import Run
from wmframe.report.publish import publish
from wmframe.report.scoreboard import lines
from wmframe.tracking.progress import Progress


@dataclass(frozen=True)
class _Result:
    """How a job of a sweep ended."""

    overrides: Sequence[str]
    run: Run | None
    error: str = ""


def run_all(jobs: Sequence[Job], command: str, allowed: Sequence[str]) -> int:
    """Run all jobs and return the exit code: 0 only if every one finished."""
    progress = Progress(sys.stderr)
    if len(jobs) == 1:
        show(run_one(jobs[0], command, allowed, progress))
        return 0
    results = []
    for number, job in enumerate(jobs, 1):
        progress.say(f"job {number} of {len(jobs)}: {' '.join(job.overrides)}")
        try:
            results.append(_Result(job.overrides, run_one(job, command, allowed, progress)))
        except Exception as error:
            # One job's fault, whatever it is, must not cost the others; its run folder keeps what happened.
            said = str(error) if isinstance(error, UserError) else traceback.format_exc()
            progress.say(f"job {number} failed: {said}")
            results.append(_Result(job.overrides, None, f"{type(error).__name__}: {error}".splitlines()[0]))
    _table(results)
    return 0 if all(result.run is not None for result in results) else 1


def run_one(job: Job, command: str, allowed: Sequence[str], progress: Progress) -> Run:
    """Run a job, write its page and show it to its tracker."""
    order = Order(experiment=job.experiment, overrides=job.overrides, command=command, allowed=allowed)
    return run(order, progress, lambda finished, tracker: publish(finished, tracker, allowed=allowed))


def show(finished: Run) -> None:
    """Print the scoreboard and where to look."""
    print("\n".join(lines(finished.record().scores)))
    print(f"page: {finished.folder / 'report.html'}")


def _table(results: Sequence[_Result]) -> None:
    """Print a line per job: only the overrides that differ, its scores or why it failed."""
    common = set.intersection(*(set(result.overrides) for result in results))
    for number, result in enumerate(results, 1):
        name = " ".join(o for o in result.overrides if o not in common) or "(no overrides)"
        if result.run is None:
            print(f"{number:>3}  failed    {name}  {result.error}", file=sys.stdout)
            continue
        scores = result.run.record().scores
        said = "  ".join(f"{world} {fmean(row['returns']):.1f}" for world, row in scores.items())
        print(f"{number:>3}  finished  {name}  {said}")
