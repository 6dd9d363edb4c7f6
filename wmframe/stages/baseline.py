"""Score the random policy on the same report seeds: uniform actions in [-1, 1], a new one every step.

An environment comes in; `scores.json` goes out. Every run on the same environment and seeds shares it.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from wmframe.engine.durability.files import write_json
from wmframe.engine.runs.context import StageContext
from wmframe.envs.spec import EnvSpec
from wmframe.stages.environments import environments
from wmframe.stages.evaluate import Evaluation, drive
from wmframe.worlds.environment import Environment
from wmframe.worlds.rollout import Act


def run(context: StageContext, *, env: EnvSpec, evaluate: Evaluation) -> None:
    """Act at random in the reference environment, save every episode's return."""

    def act(seeds: Sequence[int]) -> Act:
        chances = [np.random.default_rng((seed, 4)) for seed in seeds]

        def at_random(_: Tensor) -> Tensor:
            drawn = [chance.uniform(-1, 1, env.action_size).astype(np.float32) for chance in chances]
            return torch.from_numpy(np.stack(drawn))

        return at_random

    with environments(env, context.machine, reference=True) as batch:
        backend = batch.spec.backend
        row = drive(context, Environment(batch), act, evaluate.seeds)
    scores = {"seeds": evaluate.seeds, "backend": backend, "scores": {"random": row}}
    write_json(context.output / "scores.json", scores)
