"""`wmframe evaluate RUN`: score a run's driver again, on report seeds of one's choice."""

from collections.abc import Sequence
from dataclasses import replace

from wmframe.cli.tell import tell
from wmframe.cli.values import Given, parse_values
from wmframe.errors import UserError

HELP = """Score a run's driver again, on seeds of your choice.

usage: wmframe evaluate RUN [episodes=100] [first_seed=0] [root=.] [--allow MODULE]

  wmframe evaluate latest episodes=40 first_seed=1000

RUN is a folder under runs/, its name, or "latest". The driver is scored on the reference environment, beside the
random policy on the same seeds. Nothing is trained; the same question asked twice is answered from the store.
"""


def execute(arguments: Sequence[str]) -> int:
    """Obtain the run's evaluation with other seeds and print its scores."""
    given = parse_values(arguments, {"episodes": "100", "first_seed": "0", "root": "."}, most_names=1, usage=HELP)
    if not given.names:
        raise UserError(f"which run?\n{HELP.rstrip()}")
    return _evaluate(given.names[0], given)


def _evaluate(name: str, given: Given) -> int:
    import sys
    from pathlib import Path

    from wmframe.pipeline.runs import find_run

    run = find_run(name, runs=Path(given.values["root"]) / "runs")
    seeds = {"episodes": given.whole("episodes", least=1), "first_seed": given.whole("first_seed")}
    # PyTorch comes with these: not before what was typed is known to be right.
    from wmframe.pipeline.rescore import rescore
    from wmframe.report.scoreboard import LABELS, lines, mean_std_n
    from wmframe.tracking.progress import Progress

    experiment = run.experiment(given.allowed)
    asked = replace(
        experiment,
        arguments={**experiment.arguments, "evaluate": replace(experiment.part("evaluate"), arguments=seeds)},
    )
    scores = rescore(run, asked, allowed=given.allowed, progress=Progress(sys.stderr))
    tell("\n".join(lines(scores)))
    for world in LABELS:
        if world in scores:
            tell(mean_std_n(world, scores[world]))
    return 0
