"""A sweep's table in Markdown. A sweep comes in, `table.md` in its folder goes out. Called by `wmframe run -m`."""

from pathlib import Path
from statistics import fmean

from wmframe.files import write_atomic
from wmframe.pipeline.sweeps import JobRecord, Sweep

_WORLDS = ("reality", "dream", "random")


def write_sweep(sweep: Sweep) -> Path:
    """Write the sweep's table into its folder, one row a job."""
    rows = ["| job | state | overrides | awake | dreaming | random | cause |", "|--|--|--|--|--|--|--|"]
    rows += [_row(sweep, job) for job in sweep.jobs()]
    page = sweep.folder / "table.md"
    write_atomic(page, "\n".join(rows) + "\n")
    return page


def _row(sweep: Sweep, job: JobRecord) -> str:
    run = sweep.run_of(job)
    scores = run.record().scores if run is not None else {}
    means = [f"{fmean(scores[world]['returns']):.6g}" if world in scores else "–" for world in _WORLDS]
    cause = " ".join(job.error.split()).replace("|", "/")
    return f"| {job.number} | {job.state} | {' '.join(job.overrides)} | {' | '.join(means)} | {cause} |"
