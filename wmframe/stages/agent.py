"""The agent: V, M and C together, as they are scored, watched and handed on.

The last round's come in, or all rounds' with their trials (`select`), of which the one that earned most awake is taken.
A folder for each of the three goes out, a few held-out episodes of that round to show them by, and `agent.json`: the
round, and what every round earned. Nothing else is needed to look at an agent or to let it drive.
"""

from pathlib import Path
from statistics import fmean

from wmframe.data.episodes import save_sample
from wmframe.files import read_json, write_json
from wmframe.stages.models import agent_parts, copy_part
from wmframe.stages.task import Task


def run(task: Task) -> None:
    """Choose a round, copy its V, M and C, and some of what it recorded."""
    earned = {
        trial.partition(".")[2]: {world: fmean(row["returns"]) for world, row in _scores(folder).items()}
        for trial, folder in task.inputs.items()
        if trial.startswith("select.")
    }
    rounds = [name.partition(".")[2] for name in task.inputs if name.startswith("controller.")]
    chosen = max(rounds, key=lambda number: earned[number]["reality"]) if earned else rounds[-1]
    for part, folder in agent_parts(task.output).items():
        copy_part(task.inputs[f"{part}.{chosen}"], folder)
    save_sample(task.inputs[f"collect.{chosen}"], task.output / "sample.h5")
    write_json(task.output / "agent.json", {"round": int(chosen), "earned": earned})


def _scores(trial: Path) -> dict[str, dict[str, list[float]]]:
    found: dict[str, dict[str, list[float]]] = read_json(trial / "scores.json")["scores"]
    return found
