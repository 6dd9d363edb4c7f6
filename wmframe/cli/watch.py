"""`wmframe watch RUN`: a video of the driver, awake or dreaming."""

from collections.abc import Sequence
from pathlib import Path

from wmframe.agents.find import find_run
from wmframe.cli.tell import tell
from wmframe.cli.values import parse_values

HELP = """Write a video of a run's driver, awake or dreaming.

usage: wmframe watch [RUN] [world=reality|dream] [seed=0] [steps=250] [fps=12] [out=FILE] [root=.] [--allow MODULE]

  wmframe watch latest                          the driver on the real track
  wmframe watch latest world=dream steps=200    the driver in its dream, as V paints it

Awake, the real frame stands beside what V makes of it. `out` ends in .webp or .gif and is otherwise a file in
the run's folder.
"""


def execute(arguments: Sequence[str]) -> int:
    """Write the video and print its path."""
    defaults = {"world": "reality", "seed": "0", "steps": "250", "fps": "12", "out": "", "root": "."}
    given = parse_values(arguments, defaults, most_names=1, usage=HELP)
    world = given.choice("world", ("reality", "dream"))
    seed, steps, fps = given.whole("seed"), given.whole("steps", least=1), given.whole("fps", least=1)
    run = find_run(given.names[0] if given.names else "latest", runs=Path(given.values["root"]) / "runs")
    out = Path(given.values["out"]) if given.values["out"] else run.folder / f"{world}-{seed}.webp"
    from wmframe.report.film import film

    tell(f"video: {film(run, world=world, seed=seed, steps=steps, fps=fps, out=out, allowed=given.allowed)}")
    return 0
