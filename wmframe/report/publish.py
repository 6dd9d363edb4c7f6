"""A finished run shown to people: its page, its pictures as files, and both handed to its tracker.

A run comes in; `report.html` and `pictures/` in its folder go out, and pictures and tables to the tracker. Called by
`wmframe run` while the tracker is still open.
"""

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

from wmframe.engine.durability import failpoints
from wmframe.engine.durability.files import write_atomic
from wmframe.engine.runs.runs import Run, RunRecord
from wmframe.engine.tracking.tracker import Tracker
from wmframe.report.animation import side_by_side, write_animation
from wmframe.report.contents import Contents, Frames
from wmframe.report.gather import gather
from wmframe.report.page import FPS, write
from wmframe.report.pictures import png_bytes, sheet


def publish(run: Run, tracker: Tracker, *, allowed: Sequence[str]) -> None:
    """Write the page and the pictures of a run, and give them to its tracker with the tables."""
    failpoints.reach("report.begun")
    contents = gather(run, allowed=allowed)
    failpoints.reach("report.gathered")
    page = write(contents, run.folder / "report.html")
    failpoints.reach("report.written")
    for name, (path, caption) in save_pictures(contents, run.folder / "pictures").items():
        tracker.media(name, path, caption)
    tracker.media("run/page", page)
    record = run.record()
    tracker.table("run/stages", ("stage", "key", "state", "seconds"), _stages(record))
    if (scored := record.published("scores")) is not None:
        tracker.table(f"{scored.stage}/episodes", ("world", "seed", "return", "steps"), _episodes(record))
    failpoints.reach("report.published")


def save_pictures(contents: Contents, folder: Path) -> dict[str, tuple[Path, str]]:
    """Write what V and M drew as files of their own; return each with its caption, by its metric's name."""
    folder.mkdir(exist_ok=True)
    saved = {}
    if (pair := contents.reconstructions) is not None:
        path = _save(folder / "reconstructions.png", sheet([pair.frames, pair.reconstructions]))
        saved["vision/reconstructions"] = path, "Held-out frames above, what V makes of them below"
    if contents.prior_samples is not None:
        path = _save(folder / "samples.png", sheet([contents.prior_samples]))
        saved["vision/samples"] = path, "Decoded from latents drawn from the prior"
    if (canvas := contents.canvas) is not None:
        path = _save(folder / "canvas.png", sheet(list(canvas.frames)))
        rows = ", ".join(f"z{z} {nats:.2f}" for z, nats in zip(canvas.dimensions, canvas.nats, strict=True))
        saved["vision/canvas"] = path, f"One dimension of z swept in each row; top to bottom, in nats: {rows}"
    if (dream := contents.dream) is not None:
        film = side_by_side(dream.truth, dream.dream, primed_steps=dream.primed_steps, scale=2)
        path = write_animation(folder / "dream.gif", film, FPS)
        saved["memory/dream"] = path, f"Truth, dream, error; M alone after {dream.primed_steps} steps"
    return saved


def _save(path: Path, picture: Frames) -> Path:
    write_atomic(path, png_bytes(picture))
    return path


def _stages(record: RunRecord) -> list[tuple[str, str, str, float]]:
    return [(stage.name, stage.key, stage.state, stage.seconds) for stage in record.stages]


def _episodes(record: RunRecord) -> list[tuple[str, int | None, float, int]]:
    return [
        (world, seed, earned, int(steps))
        for world, row in record.scores.items()
        for seed, earned, steps in zip_longest(record.seeds_of(world), row["returns"], row["lengths"])
    ]
