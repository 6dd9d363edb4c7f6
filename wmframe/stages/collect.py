"""Play episodes and keep them: frames in shards, one shard a batch (paper, section 2.1 and appendix A).

A config's sources come in, and in later rounds the last round's agent; shards and `summary.json` go out.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from wmframe.collect.collection import Collection
from wmframe.collect.contract import Setting, Source
from wmframe.collect.record import record
from wmframe.data.episodes import EpisodeInfo, read_infos
from wmframe.envs.spec import EnvSpec
from wmframe.files import write_json
from wmframe.stages.models import AgentFolders, load_driver
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
    played = sum(info.steps for shard in task.output.glob("*.h5") for info in read_infos(shard))
    episodes: list[EpisodeInfo] = []
    with (
        torch.inference_mode(),
        task.environments() as batch,
        task.progress.stage(task.name, total=planned, unit="steps", start=played) as bar,
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
            episodes += _play(source, setting, task.output, spec.backend, bar)
    write_json(task.output / "summary.json", summary(episodes, spec.action_repeat))


def summary(episodes: Sequence[EpisodeInfo], action_repeat: int) -> dict[str, object]:
    """Say where a data set came from: episodes by origin, the environment's frames, returns by source and policy."""
    names = dict.fromkeys(episode.source for episode in episodes)
    sources = {name: [e.episode_return for e in episodes if e.source == name] for name in names}
    played = dict.fromkeys(episode.policy for episode in episodes)
    policies = {name: [e.episode_return for e in episodes if e.policy == name] for name in played}
    return {
        "episodes": dict(Counter(episode.origin for episode in episodes)),
        "environment_frames": action_repeat * sum(episode.steps for episode in episodes),
        "recorded_frames": sum(episode.steps + 1 for episode in episodes),
        "backends": sorted({episode.backend for episode in episodes}),
        "mean_return": {name: float(np.mean(returns)) for name, returns in sources.items()},
        "mean_return_by_policy": {name: float(np.mean(returns)) for name, returns in policies.items()},
    }


def _play(source: Source, setting: Setting, folder: Path, backend: str, bar: Bar) -> list[EpisodeInfo]:
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
        infos = read_infos(shard)
        returns = np.array([info.episode_return for info in infos])
        bar.advance(0, note=f"{setting.source} {number}, mean return {returns.mean():.1f}")
        episodes += infos
    return episodes


def _driver(task: Task) -> Driver | None:
    if "controller" not in task.inputs:
        return None
    folders = AgentFolders(
        vision=task.inputs["vision"], memory=task.inputs["memory"], controller=task.inputs["controller"]
    )
    world = task.build("world", WorldSettings)
    return load_driver(folders, world=world, allowed=task.allowed, device=task.machine.device)
