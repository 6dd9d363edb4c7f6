"""`python -m tests.golden.toys FOLDER`: the toy runs whose results are recorded, made in FOLDER.

They are made in a process of their own, with arithmetic that is the same everywhere (`arithmetic`). Beside them is
written: `results.json`, where each node's result lies; `arithmetic.json`, what this machine's arithmetic comes to;
and `said/`, what the commands said.
"""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tests.golden import house
from tests.golden.recipes import PINNED

REPOSITORY: Final = Path(__file__).parents[2]

TOY: Final = (
    *("experiment=toy", "preset=smoke", "tracker=none"),
    *("trainer=cpu", "trainer.threads=1", "trainer.workers=1"),
)
_AWAKE: Final = (
    *("finetune=real", "finetune.search.population=4", "finetune.search.generations=2", "finetune.search.rollouts=1"),
    *("finetune.search.check_every=1", "finetune.search.select_rollouts=2"),
)
_GRADIENT: Final = (
    *("search=gradient", "search.updates=6", "search.dreams=32", "search.horizon=8", "search.check_every=3"),
    "search.select_rollouts=4",
)

SHOWN: Final = "evolution"
"""The run that is made by the command, with its page; the others are made without."""

RUNS: Final[Mapping[str, tuple[str, ...]]] = {
    SHOWN: (),
    "gradient": (*_GRADIENT, "search.climbs=2", "search.risk_tolerance=2.0"),
    "two rounds, a value, chosen awake": (
        *("rounds=2", "memory.value_steps=5", "world.bootstrap=true", "later.later_share=0.75"),
        *("select.chosen=awake", "select.episodes=2", "later.start_pay=0.1"),
    ),
    "three rounds, refitted": (
        *(
            "rounds=3",
            *_GRADIENT,
            "later.vision=[keep,new,keep]",
            "later.memory=[continue,new,continue]",
            "later.memory_steps=12",
        ),
        *("later.recency=0.5", "later.updates=[4,3]"),
    ),
    "finished awake": _AWAKE,
    "no memory, in reality": ("memory=none", "world=reality", "world.most_steps=20", "controller.senses=z"),
    "gone on from an agent": ("rounds=0", *_AWAKE, PINNED),
    "driven by an agent": (
        *("collect=driven", "collect.first.brownian.episodes=3", "collect.first.steady.episodes=4"),
        *("collect.first.astray.episodes=4", PINNED),
    ),
}
"""The words of each run, but for `TOY`; the pinned agent is that of the run that is shown."""


def words(run: str) -> tuple[str, ...]:
    """Return all words of a run."""
    return (*TOY, *RUNS[run])


def make(folder: Path) -> None:
    """Make all runs in a process of its own; raises RuntimeError with what it said if that fails."""
    from tests.golden.arithmetic import settings

    folder.mkdir(parents=True, exist_ok=True)
    paths = os.pathsep.join(filter(None, (str(REPOSITORY), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, "-m", "tests.golden.toys", str(folder)],
        env={**os.environ, **settings(), "PYTHONPATH": paths},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the toy runs failed:\n{done.stdout}\n{done.stderr[-5000:]}")


def main(folder: Path) -> None:
    """Make all runs in this process."""
    from tests.golden.arithmetic import probe, settle

    os.chdir(folder)
    settle()
    _write(folder / "arithmetic.json", probe())
    said = folder / "said"
    said.mkdir(exist_ok=True)
    (said / "run.txt").write_text(_said("run", *words(SHOWN)))
    (said / "status latest.txt").write_text(_said("status", "latest"))
    (said / "status.txt").write_text(_said("status"))
    shutil.copyfile(folder / "runs" / house.newest_run(folder) / "report.html", said / "page.html")
    agent = f"first_driver={house.newest_run(folder)}"
    results = {}
    for run in RUNS:
        typed = [agent if word == PINNED else word for word in words(run)]
        if run != SHOWN:
            house.train(typed)
        results[run] = house.results(typed)
    _said("run", "-m", *TOY, "world.temperature=0.5,1.0")
    _write(folder / "results.json", results)


def _said(*arguments: str) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        code = house.command(*arguments)
    assert code == 0, arguments
    return out.getvalue()


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, sort_keys=True))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
