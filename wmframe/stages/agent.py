"""The agent: V, M and C together, as they are scored, watched and handed on.

The last round's come in, or all rounds', of which the one is taken that earned most awake; and the rounds' trials
(`select`), if there were any. Or a whole agent comes in, and a C that went on from its. A folder for each of the three
goes out, a few held-out episodes of that round to show them by, and `agent.json`: the round, what every round earned,
and what was recorded for it. Nothing else is needed to look at an agent, or to let it drive.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from wmframe import faults, stopping
from wmframe.data.episodes import save_sample
from wmframe.files import read_json, write_json
from wmframe.stages.models import agent_parts, copy_part
from wmframe.stages.task import Task

_FACTS: Final = "agent.json"
_SAMPLE: Final = "sample.h5"


def run(task: Task) -> None:
    """Take over V, M and C, and what shows and tells of them."""
    if "agent" in task.inputs:
        _gone_on(task, task.inputs["agent"])
    else:
        _of_rounds(task)


def _gone_on(task: Task, before: Path) -> None:
    """Save an agent with a C that went on from its; what V and M have seen is what it was."""
    _copy(task, {**agent_parts(before), "controller": task.inputs["controller.0"]})
    shutil.copyfile(before / _SAMPLE, task.output / _SAMPLE)
    write_json(task.output / _FACTS, read_json(before / _FACTS))


def _of_rounds(task: Task) -> None:
    """Choose a round, save its V, M and C, and some of what it recorded."""
    trials = [read_json(folder / "scores.json") for folder in task.many("select")]
    earned = {str(number): _earned(trial) for number, trial in enumerate(trials, 1)}
    rounds = [name.partition(".")[2] for name in task.inputs if name.startswith("controller.")]
    chosen = rounds[-1] if len(rounds) == 1 else max(rounds, key=lambda number: earned[number]["reality"])
    _copy(task, {part: task.inputs[f"{part}.{chosen}"] for part in agent_parts(task.output)})
    save_sample([task.inputs[f"collect.{number}"] for number in range(1, int(chosen) + 1)], task.output / _SAMPLE)
    facts = {
        "round": int(chosen),
        "earned": earned,
        "recorded": [read_json(folder / "summary.json") for folder in task.many("collect")],
        "frames_tried_on": sum(trial["environment_frames"] for trial in trials),
    }
    write_json(task.output / _FACTS, facts)


def _copy(task: Task, parts: Mapping[str, Path]) -> None:
    with task.progress.stage(task.name, total=len(parts), unit="parts") as bar:
        for part, folder in agent_parts(task.output).items():
            copy_part(parts[part], folder)
            bar.advance(1)
            faults.reach("agent.part")
            stopping.check()


def _earned(trial: Mapping[str, Any]) -> dict[str, float]:
    """Return the mean return in each world."""
    return {world: fmean(row["returns"]) for world, row in trial["scores"].items()}
