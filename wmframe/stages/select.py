"""Let one round's driver show what it is worth, awake on select seeds, for the agent to be chosen by.

V, M and C of a round come in; `scores.json` goes out, what they earned in their dream beside it. Run for every round
where `select.chosen` is "awake", and with `select.trials`.
"""

from pathlib import Path
from statistics import fmean

from wmframe.data.seeds import draw_seeds
from wmframe.engine.durability.files import write_json
from wmframe.engine.runs.context import StageContext
from wmframe.envs.spec import EnvSpec
from wmframe.stages.environments import environments
from wmframe.stages.evaluate import asleep, drive
from wmframe.stages.models import Parts, load_driver
from wmframe.worlds.settings import WorldSettings


def run(
    context: StageContext,
    *,
    env: EnvSpec,
    world: WorldSettings,
    seed: int,
    episodes: int,
    vision: Path,
    memory: Path,
    controller: Path,
) -> None:
    """Build the driver, let it drive whole episodes in the training environment, save every episode's return."""
    parts = Parts(vision, memory, controller)
    driver = load_driver(parts, world=world, allowed=context.allowed, device=context.machine.device)
    # No round in the path: every round meets the same tracks.
    seeds = draw_seeds("select", (seed, "driver"), episodes)
    with environments(env, context.machine) as batch:
        frames_a_step = batch.spec.action_repeat
        scores = {"reality": drive(context, driver.awake(batch), lambda _: driver.act(), seeds)}
    scores |= asleep(world, driver, controller, seeds)
    with context.history() as history:
        history.log(1, {f"select/{name}_mean": fmean(row["returns"]) for name, row in scores.items()})
    frames = frames_a_step * round(sum(scores["reality"]["lengths"]))
    write_json(context.output / "scores.json", {"seeds": seeds, "environment_frames": frames, "scores": scores})
