"""Score the random policy on the same report seeds: uniform actions in [-1, 1], a new one every step.

An environment comes in; `scores.json` goes out. Every run on the same environment and seeds shares it.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from wmframe.collect.contract import blind
from wmframe.envs.spec import EnvSpec
from wmframe.files import write_json
from wmframe.stages.evaluate import Evaluation, drive
from wmframe.stages.task import Task
from wmframe.worlds.rollout import Act


def run(task: Task) -> None:
    """Build the reference environment, act at random in it, save every episode's return."""
    evaluation, spec = task.build("evaluate", Evaluation), task.build("env", EnvSpec)

    def act(seeds: Sequence[int]) -> Act:
        chances = [np.random.default_rng((seed, 4)) for seed in seeds]

        def at_random(_: Tensor) -> Tensor:
            drawn = [chance.uniform(-1, 1, spec.action_size).astype(np.float32) for chance in chances]
            return torch.from_numpy(np.stack(drawn))

        return at_random

    with task.environments(reference=True) as batch:
        backend = batch.spec.backend
        row = drive(task, blind(batch, spec.action_size), act, evaluation.seeds)
    scores = {"seeds": evaluation.seeds, "backend": backend, "scores": {"random": row}}
    write_json(task.output / "scores.json", scores)
