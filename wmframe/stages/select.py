"""Let one round's driver show what it is worth, awake on select seeds, for the agent to be chosen by.

V, M and C of a round come in; `scores.json` goes out, what they earned in their dream beside it. Run for every round
where `later_rounds.chosen` is "awake", and with `later_rounds.trials`.
"""

from statistics import fmean

from wmframe.data.seeds import draw_seeds
from wmframe.files import write_json
from wmframe.stages.evaluate import asleep, drive
from wmframe.stages.models import load_driver
from wmframe.stages.task import Task
from wmframe.worlds.settings import WorldSettings


def run(task: Task) -> None:
    """Build the driver, let it drive whole episodes in the training environment, save every episode's return."""
    settings = task.build("world", WorldSettings)
    driver = load_driver(task.driver, world=settings, allowed=task.allowed, device=task.machine.device)
    # No round in the path: every round meets the same tracks.
    seeds = draw_seeds("select", (task.seed, "driver"), task.integer("episodes"))
    with task.environments() as batch:
        frames_a_step = batch.spec.action_repeat
        scores = {"reality": drive(task, driver.awake(batch), lambda _: driver.act(), seeds)}
    scores |= asleep(settings, driver, task.driver["controller"], seeds)
    with task.history() as history:
        history.log(1, {f"select/{name}_mean": fmean(row["returns"]) for name, row in scores.items()})
    frames = frames_a_step * round(sum(scores["reality"]["lengths"]))
    write_json(task.output / "scores.json", {"seeds": seeds, "environment_frames": frames, "scores": scores})
