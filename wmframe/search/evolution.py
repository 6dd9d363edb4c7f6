"""Evolution of C in its world: the seeds of every generation, and the ledger that a killed search goes on from.

Settings, the start and how candidates are scored come in; what was found goes out, the history beside it. The loop
itself is `evolve`. Called by `Search.train`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from wmframe.search.contract import Found, SearchContext
from wmframe.search.evolve import CannotRepeatError, Ledger, evolve
from wmframe.search.strategy import Parameters

if TYPE_CHECKING:
    from wmframe.search.settings import Search


def evolution(search: "Search", start: Parameters, context: SearchContext) -> Found:
    """Let a population evolve, or go on where an interrupted search of the same result stood, if that can be."""
    stage = context.stage
    ledger = Ledger(stage.resume / "generations.jsonl", stage.key, stage.say)
    try:
        return _evolved(search, start, context, ledger)
    except CannotRepeatError as error:
        stage.say(f"{error}; it starts over")
        ledger.clear()
        return _evolved(search, start, context, ledger)


def _evolved(search: "Search", start: Parameters, context: SearchContext, ledger: Ledger) -> Found:
    """Go on from where the ledger stands. The history is written anew from it, row by row."""
    stage, begun = context.stage, len(ledger.generations)
    select_seeds = context.select_seeds(search.select_rollouts)
    with (
        stage.history() as history,
        stage.progress.stage(stage.name, total=search.generations, unit="generations", start=begun) as bar,
    ):

        def report(generation: int, row: Mapping[str, float]) -> None:
            history.log(generation, row)
            if generation > begun:
                bar.update(done=generation, note=f"fitness {row['controller/fitness_mean']:.1f}")

        return evolve(
            search,
            search.begin(start, context.train_seeds(1, "search")[0]),
            fitness=lambda candidates, generation: context.score(
                candidates, context.train_seeds(search.rollouts, "fitness", generation)
            ),
            select=lambda finalists: context.score(finalists, select_seeds),
            ledger=ledger,
            report=report,
        ) or Found(start, 0.0, 0)
