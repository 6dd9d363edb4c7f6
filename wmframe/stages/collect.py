"""Play episodes and keep them: frames in shards, one shard a batch (paper, section 2.1 and appendix A).

A config's sources come in, and who drives: in later rounds the last round's V, M and C, in the first an agent that was
finished before, if any. Shards and `summary.json` go out.
"""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence, Set
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
from wmframe.engine.durability.completed_files import Kept
from wmframe.engine.durability.files import write_json
from wmframe.engine.errors import UserError
from wmframe.engine.runs.context import StageContext
from wmframe.engine.tracking.progress import Bar
from wmframe.envs.spec import EnvSpec
from wmframe.stages.environments import environments
from wmframe.stages.initial_agent import check_it_fits, inherited_frames
from wmframe.stages.models import Parts, agent_parts, load_driver
from wmframe.worlds.driver import Driver
from wmframe.worlds.settings import WorldSettings


def run(
    context: StageContext,
    *,
    collect: Collection,
    env: EnvSpec,
    seed: int,
    round: int,
    world: WorldSettings | None = None,
    agent: Path | None = None,
    vision: Path | None = None,
    memory: Path | None = None,
    controller: Path | None = None,
) -> None:
    """Play what each source asks for, save every episode."""
    sources = collect.first if round == 1 else collect.later
    planned = sum(source.planned_steps(env.most_steps) for source in sources.values())
    parts = agent_parts(agent) if agent is not None else Parts.of(vision, memory, controller)
    played = _Summary()
    for shard in context.output.glob("*.h5"):
        played.add(read_infos(shard))
    _refuse_others(played.backends, env.backend, context)
    summary = _Summary()
    with (
        torch.inference_mode(),
        environments(env, context.machine) as batch,
        context.progress.stage(context.name, total=planned, unit="steps", start=played.steps) as bar,
    ):
        driver = _driver(context, env, world, parts, agent)
        for name, source in sources.items():
            setting = Setting(
                source=name,
                batch=batch,
                action_size=env.action_size,
                seed=seed,
                round=round,
                driver=driver,
            )
            for infos in _play(source, setting, context.output, context.kept, env, bar):
                summary.add(infos)
    inherited = {} if agent is None else {"inherited_frames": inherited_frames(agent)}
    write_json(context.output / "summary.json", {**summary.told(env.action_repeat), **inherited})


class _Summary:
    """Where a data set came from. Of an episode only its return is remembered: a collection may have millions."""

    def __init__(self) -> None:
        self.steps = 0
        self.backends: set[str] = set()
        self._origins: Counter[str] = Counter()
        self._by_source: defaultdict[str, array[float]] = defaultdict(lambda: array("d"))
        self._by_policy: defaultdict[str, array[float]] = defaultdict(lambda: array("d"))

    def add(self, infos: Sequence[EpisodeInfo]) -> None:
        """Count these episodes in."""
        for info in infos:
            self.steps += info.steps
            self.backends.add(info.backend)
            self._origins[info.origin] += 1
            self._by_source[info.source].append(info.episode_return)
            self._by_policy[info.policy].append(info.episode_return)

    def told(self, action_repeat: int) -> dict[str, object]:
        """Return episodes by origin, the environment's frames, and mean returns by source and policy."""
        return {
            "episodes": dict(self._origins),
            "environment_frames": action_repeat * self.steps,
            "recorded_frames": self.steps + self._origins.total(),
            "backends": sorted(self.backends),
            "mean_return": {name: fmean(returns) for name, returns in self._by_source.items()},
            "mean_return_by_policy": {name: fmean(returns) for name, returns in self._by_policy.items()},
        }


def _refuse_others(played: Set[str], backend: str, context: StageContext) -> None:
    """Raise UserError if an interrupted collection was begun with another backend: it would be half of each."""
    begun = played - {backend}
    if begun:
        raise UserError(
            f"{context.name} was begun on {' and '.join(sorted(begun))}, but this is {backend}: half a collection of "
            f"each is none. Install the first again, or delete {context.work} to begin anew.",
            exit_code=1,
        )


def _play(
    source: Source, setting: Setting, folder: Path, kept: Kept, env: EnvSpec, bar: Bar
) -> Iterator[Sequence[EpisodeInfo]]:
    """Play all that a source yields, sending back what each batch earned; a shard that stands is only read."""
    batches = source.batches(setting)
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
                env=env,
                tick=bar.advance,
            )
            kept.add(shard)
        infos = read_infos(shard)
        returns = np.array([info.episode_return for info in infos])
        bar.advance(0, note=f"{setting.source} {number}, mean return {returns.mean():.1f}")
        yield infos


def _driver(
    context: StageContext, env: EnvSpec, world: WorldSettings | None, parts: Parts | None, agent: Path | None
) -> Driver | None:
    if parts is None or world is None:
        return None
    driver = load_driver(parts, world=world, allowed=context.allowed, device=context.machine.device)
    if agent is not None:
        check_it_fits(agent, driver.memory, env)
    return driver
