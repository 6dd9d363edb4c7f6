"""Play a batch of episodes into a shard, frame by frame.

An `EpisodeBatch` comes in; an HDF5 file goes out. Called by the collect stage. Legend: B lanes, A action.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from torch import Tensor

from wmframe.collect.contract import EpisodeBatch, Origin
from wmframe.data.episodes import ShardWriter
from wmframe.envs.batch import still
from wmframe.envs.spec import EnvSpec
from wmframe.worlds.contract import Step
from wmframe.worlds.rollout import rollout


def record(
    shard: Path,
    batch: EpisodeBatch,
    *,
    source: str,
    origin: Origin,
    env: EnvSpec,
    tick: Callable[[int], None],
) -> None:
    """Play the batch to its end and write the shard; `tick` is told how many steps each moment brought."""
    seen = still(len(batch.seeds), env.frame_shape)
    with ShardWriter(shard, len(batch.seeds), env.frame_shape) as writer:
        alive = np.ones(len(batch.seeds), np.bool_)

        def watch(step: Step, _: Tensor | None) -> None:
            nonlocal alive, seen
            seen = step.shown()
            moved = None if step.acted is None else step.acted.cpu().numpy()
            for lane in np.flatnonzero(alive).tolist():
                if moved is not None:
                    writer.step(lane, moved[lane], float(seen.rewards[lane]))
                writer.frame(lane, seen.frames[lane])
            if moved is not None:
                tick(int(alive.sum()))
            alive = ~seen.over

        rollout(batch.world, batch.act, batch.seeds, watch=watch)
        for lane, seed in enumerate(batch.seeds):
            known = {"seed": seed, "source": source, "origin": origin, "policy": batch.policies[lane]}
            ended = bool(seen.terminated[lane])
            writer.finish(lane, {**known, "backend": env.backend, "limit": batch.world.time_limit, "terminated": ended})
