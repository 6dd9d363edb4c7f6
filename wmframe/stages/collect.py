"""Play episodes and keep them: frames in shards, one shard a batch (paper, section 2.1 and appendix A).

A config's sources come in, and in later rounds the last round's agent; shards and `summary.json` go out.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from statistics import fmean

import numpy as np
import numpy.typing as npt
import torch

from wmframe.collect.collection import Collection
from wmframe.collect.contract import Setting, Source
from wmframe.collect.record import record
from wmframe.data.episodes import EpisodeInfo, read_infos
from wmframe.envs.spec import EnvSpec
from wmframe.errors import UserError
from wmframe.files import write_json
from wmframe.stages.kept import Kept
from wmframe.stages.models import load_driver
from wmframe.stages.task import Task
from wmframe.tracking.progress import Bar
from wmframe.worlds.driver import Driver
from wmframe.worlds.settings import WorldSettings


def run(task: Task) -> None:
    """Build the sources, play what each asks for, save every episode."""
    collection, spec = task.build("collect", Collection), task.build("env", EnvSpec)
    number = task.integer("round")
    sources = collection.first if number == 1 else collection.later
    planned = sum(source.planned_steps(spec.most_steps) for source in sources.values())
    played = [info for shard in sorted(task.output.glob("*.h5")) for info in read_infos(shard)]
    _refuse_others(played, spec.backend, task)
    if spec.caveat:
        task.progress.say(f"{task.name}: {spec.caveat}")
    episodes: list[EpisodeInfo] = []
    with (
        torch.inference_mode(),
        task.environments() as batch,
        task.progress.stage(task.name, total=planned, unit="steps", start=sum(info.steps for info in played)) as bar,
    ):
        driver = _driver(task)
        for name, source in sources.items():
            setting = Setting(
                source=name,
                batch=batch,
                action_size=spec.action_size,
                seed=task.seed,
                round=number,
                driver=driver,
            )
            episodes += _play(source, setting, task.output, task.kept, spec.backend, bar)
    write_json(task.output / "summary.json", summary(episodes, spec.action_repeat))


def summary(episodes: Sequence[EpisodeInfo], action_repeat: int) -> dict[str, object]:
    """Say where a data set came from: episodes by origin, the environment's frames, returns by source and policy."""
    return {
        "episodes": dict(Counter(episode.origin for episode in episodes)),
        "environment_frames": action_repeat * sum(episode.steps for episode in episodes),
        "recorded_frames": sum(episode.steps + 1 for episode in episodes),
        "backends": sorted({episode.backend for episode in episodes}),
        "mean_return": _mean_returns(episodes, lambda episode: episode.source),
        "mean_return_by_policy": _mean_returns(episodes, lambda episode: episode.policy),
    }


def _mean_returns(episodes: Sequence[EpisodeInfo], name: Callable[[EpisodeInfo], str]) -> dict[str, float]:
    returns: dict[str, list[float]] = {}
    for episode in episodes:
        returns.setdefault(name(episode), []).append(episode.episode_return)
    return {named: fmean(group) for named, group in returns.items()}


def _refuse_others(played: Sequence[EpisodeInfo], backend: str, task: Task) -> None:
    """Raise UserError if an interrupted collection was begun with another backend: it would be half of each."""
    begun = {info.backend for info in played} - {backend}
    if begun:
        raise UserError(
            f"{task.name} was begun on {' and '.join(sorted(begun))}, but this is {backend}: half a collection of each "
            f"is none. Install the first again, or delete {task.work} to begin anew.",
            exit_code=1,
        )


def _play(source: Source, setting: Setting, folder: Path, kept: Kept, backend: str, bar: Bar) -> list[EpisodeInfo]:
    """Play all that a source yields, sending back what each batch earned; a shard that stands is only read."""
    batches, episodes = source.batches(setting), list[EpisodeInfo]()
    returns: npt.NDArray[np.float64] | None = None
    for number in count():
        try:
            batch = batches.send(returns)  # type: ignore[arg-type]  # None starts a generator
        except StopIteration:
            break
        shard = folder / f"{setting.source}-{number:04}.h5"
        if not shard.is_file():
            record(
                shard,
                batch,
                source=setting.source,
                origin=source.origin(setting),
                backend=backend,
                tick=bar.advance,
            )
            kept.add(shard)
        infos = read_infos(shard)
        returns = np.array([info.episode_return for info in infos])
        bar.advance(0, note=f"{setting.source} {number}, mean return {returns.mean():.1f}")
        episodes += infos
    return episodes


def _driver(task: Task) -> Driver | None:
    if "controller" not in task.inputs:
        return None
    world = task.build("world", WorldSettings)
    return load_driver(task.inputs, world=world, allowed=task.allowed, device=task.machine.device)
