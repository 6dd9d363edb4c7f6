"""`wmframe evaluate RUN …`: score runs' drivers again, on report seeds of one's choice, and set them side by side."""

from collections.abc import Sequence

from wmframe.cli.tell import tell
from wmframe.cli.values import Given, parse_values
from wmframe.engine.errors import UserError

HELP = """Score a run's driver again, or several side by side, on seeds of your choice.

usage: wmframe evaluate RUN [OTHER ...] [episodes=100] [first_seed=0] [root=.] [--allow MODULE]

  wmframe evaluate latest zoo/car_racing_dream episodes=40 first_seed=1000

RUN is a folder under runs/, its name, or "latest". Drivers are scored on the reference environment, beside the random
policy and the first of them, on the same seeds. Nothing is trained; a question asked twice is answered from the store.
"""

MOST = 32
"""So many runs side by side; it is a slip of the keyboard that names more."""


def execute(arguments: Sequence[str]) -> int:
    """Obtain the runs' evaluations with other seeds and print their scores."""
    given = parse_values(arguments, {"episodes": "100", "first_seed": "0", "root": "."}, most_names=MOST, usage=HELP)
    if not given.names:
        raise UserError(f"which run?\n{HELP.rstrip()}")
    return _evaluate(given)


def _evaluate(given: Given) -> int:
    import sys
    from pathlib import Path

    from wmframe.agents.find import agent_of, find_run

    runs = {name: find_run(name, runs=Path(given.values["root"]) / "runs") for name in given.names}
    seeds = {"episodes": given.whole("episodes", least=1), "first_seed": given.whole("first_seed")}
    for run in runs.values():
        agent_of(run)
    # PyTorch comes with these: not before what was typed is known to be right.
    from wmframe.agents.rescore import evaluation, refuse_unlike, rescore
    from wmframe.engine.tracking.progress import Progress
    from wmframe.report.scoreboard import LABELS, against, lines, mean_std_n

    recorded = {name: run.experiment(given.allowed) for name, run in runs.items()}
    refuse_unlike(recorded, allowed=given.allowed)
    first, awake = given.names[0], {}
    for name, experiment in recorded.items():
        asked = experiment.with_arguments(evaluate=evaluation(experiment).with_arguments(**seeds))
        scores = rescore(runs[name], asked, allowed=given.allowed, progress=Progress(sys.stderr))
        awake[name] = scores["reality"]["returns"]
        if len(runs) > 1:
            tell(name)
        tell("\n".join(lines(scores)))
        for world in LABELS:
            if world in scores:
                tell(mean_std_n(world, scores[world]))
        if name != first:
            tell(against(first, awake[first], name, awake[name]))
    return 0
