"""The agent: V, M and C together, as they are scored, watched and handed on.

The last round's come in, or all rounds', of which the one is taken that earned most awake; and the rounds' trials
(`select`), if there were any. A folder for each of the three goes out, a few held-out episodes of that round to show
them by, and `agent.json`: the round, what every round earned, and what was recorded for it. Nothing else is needed to
look at an agent, or to let it drive.
"""

from collections.abc import Mapping
from statistics import fmean
from typing import Any

from wmframe import faults, stopping
from wmframe.data.episodes import save_sample
from wmframe.files import read_json, write_json
from wmframe.stages.models import agent_parts, copy_part
from wmframe.stages.task import Task


def run(task: Task) -> None:
    """Choose a round, copy its V, M and C, and some of what it recorded."""
    trials = [read_json(folder / "scores.json") for folder in task.many("select")]
    earned = {str(number): _earned(trial) for number, trial in enumerate(trials, 1)}
    rounds = [name.partition(".")[2] for name in task.inputs if name.startswith("controller.")]
    chosen = rounds[-1] if len(rounds) == 1 else max(rounds, key=lambda number: earned[number]["reality"])
    parts = agent_parts(task.output)
    with task.progress.stage(task.name, total=len(parts), unit="parts") as bar:
        for part, folder in parts.items():
            copy_part(task.inputs[f"{part}.{chosen}"], folder)
            bar.advance(1)
            faults.reach("agent.part")
            stopping.check()
    save_sample(task.inputs[f"collect.{chosen}"], task.output / "sample.h5")
    facts = {
        "round": int(chosen),
        "earned": earned,
        "recorded": [read_json(folder / "summary.json") for folder in task.many("collect")],
        "frames_tried_on": sum(trial["environment_frames"] for trial in trials),
    }
    write_json(task.output / "agent.json", facts)


def _earned(trial: Mapping[str, Any]) -> dict[str, float]:
    """Return the mean return in each world."""
    return {world: fmean(row["returns"]) for world, row in trial["scores"].items()}
