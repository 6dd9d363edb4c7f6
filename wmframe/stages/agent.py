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

from wmframe.data.episodes import save_sample
from wmframe.engine.durability import failpoints, signals
from wmframe.engine.durability.files import read_json, write_json
from wmframe.engine.runs.context import StageContext
from wmframe.stages.models import Parts, agent_parts, copy_part

_FACTS: Final = "agent.json"
_SAMPLE: Final = "sample.h5"


def run(
    context: StageContext,
    *,
    chosen: str,
    controllers: Mapping[int, Path],
    episodes: Mapping[int, Path] | None = None,
    visions: Mapping[int, Path] | None = None,
    memories: Mapping[int, Path] | None = None,
    trials: Mapping[int, Path] | None = None,
    agent: Path | None = None,
) -> None:
    """Take over V, M and C, and what shows and tells of them."""
    if agent is not None:
        _gone_on(context, agent, controllers[0])
    elif episodes is not None and visions is not None and memories is not None:
        found = {n: Parts(visions[n], memories[n], controllers[n]) for n in controllers}
        _of_rounds(context, found, episodes, trials or {})


def vision_of(context: StageContext, *, agent: Path) -> None:
    """Copy the V of an agent."""
    copy_part(agent_parts(agent).vision, context.output)


def memory_of(context: StageContext, *, agent: Path) -> None:
    """Copy the M of an agent."""
    copy_part(agent_parts(agent).memory, context.output)


def controller_of(context: StageContext, *, agent: Path) -> None:
    """Copy the C of an agent, with the states that its dreams start from."""
    copy_part(agent_parts(agent).controller, context.output)


def _gone_on(context: StageContext, before: Path, controller: Path) -> None:
    """Save an agent with a C that went on from its; what V and M have seen is what it was."""
    _copy(context, agent_parts(before)._replace(controller=controller))
    shutil.copyfile(before / _SAMPLE, context.output / _SAMPLE)
    write_json(context.output / _FACTS, read_json(before / _FACTS))


def _of_rounds(
    context: StageContext, rounds: Mapping[int, Parts], episodes: Mapping[int, Path], trials: Mapping[int, Path]
) -> None:
    """Choose a round, save its V, M and C, and some of what it recorded."""
    tried = {number: read_json(folder / "scores.json") for number, folder in trials.items()}
    earned = {number: _earned(trial) for number, trial in tried.items()}
    chosen = max(rounds) if len(rounds) == 1 else max(rounds, key=lambda number: earned[number]["reality"])
    _copy(context, rounds[chosen])
    save_sample([episodes[number] for number in range(1, chosen + 1)], context.output / _SAMPLE)
    facts = {
        "round": chosen,
        "earned": {str(number): row for number, row in earned.items()},
        "recorded": [read_json(folder / "summary.json") for folder in episodes.values()],
        "frames_tried_on": sum(trial["environment_frames"] for trial in tried.values()),
    }
    write_json(context.output / _FACTS, facts)


def _copy(context: StageContext, parts: Parts) -> None:
    with context.progress.stage(context.name, total=len(parts), unit="parts") as bar:
        for part, folder in zip(parts, agent_parts(context.output), strict=True):
            copy_part(part, folder)
            bar.advance(1)
            failpoints.reach("agent.part")
            signals.check()


def _earned(trial: Mapping[str, Any]) -> dict[str, float]:
    """Return the mean return in each world."""
    return {world: fmean(row["returns"]) for world, row in trial["scores"].items()}
