"""Let C climb the gradient of its dreams, such that a killed climb ends with the same bits.

Settings, start parameters and a dream come in; what was found goes out, the history beside it. The dreams of an update
are a function of (seed, update), and what else there is to go on from is kept as plain data. Called by the controller
stage.
"""

import time
from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from wmframe.controller.contract import Controller
from wmframe.data.seeds import draw_seeds
from wmframe.engine.durability import failpoints, signals
from wmframe.engine.durability.files import write_atomic
from wmframe.engine.runs.context import HISTORY, StageContext
from wmframe.search.ascend import Ascent
from wmframe.search.evolve import Found
from wmframe.search.settings import GradientSearch
from wmframe.search.strategy import Parameters
from wmframe.stages.resume import PlainCheckpoints
from wmframe.worlds.dream import Dream

Measure = Callable[[Parameters], float]
"""The mean return of parameters (D,) on select seeds."""


def climb(
    context: StageContext,
    search: GradientSearch,
    start: Parameters,
    dream: Dream,
    controller: Controller,
    measure: Measure,
    *,
    seed: int,
) -> Found:
    """Make all updates, or those that an interrupted climb of the same result still lacks."""
    ascent = Ascent(search, start, context.machine.device)
    world = dream.differentiable(
        reparameterization=search.reparameterization,
        risk_tolerance=search.risk_tolerance,
        value_weight=search.value_weight,
    )
    horizon = search.horizon or dream.horizon
    state = _State(context, ascent)
    begun, selected = ascent.updates, None
    with (
        context.history(begun) as history,
        context.progress.stage(context.name, total=search.all_updates, unit="updates", start=begun) as bar,
    ):
        for number in range(begun + 1, search.all_updates + 1):
            seeds = draw_seeds("train", (seed, "climb", number), search.dreams)

            def returns(parameters: Tensor, seeds: list[int] = seeds) -> Tensor:
                return world.returns(controller, parameters, seeds, horizon=horizon)

            row = ascent.update(returns)
            if number == search.all_updates or number % search.check_every == 0:
                selected = row["controller/climbed_return"] = measure(ascent.found)
            history.log(number, row)
            bar.update(done=number, note=f"{ascent.name} {row[f'controller/dreamt_{ascent.name}']:.1f}")
            failpoints.reach("search.update")
            state.offer()
            signals.check()
    return Found(ascent.found, measure(ascent.found) if selected is None else selected, ascent.updates)


class _State:
    """What there is to go on from: kept every so many seconds, and when asked to stop.

    The history's rows are part of it: nothing vouches for the file itself before it is published.
    """

    def __init__(self, context: StageContext, ascent: Ascent) -> None:
        self._ascent, self._seconds = ascent, context.machine.save_seconds
        self._folder: Path = context.resume / "ascent"
        self._history = context.output / HISTORY
        self._checkpoints, self._last = PlainCheckpoints(context.key), time.monotonic()
        saved = self._checkpoints.saved(self._folder, context.say)
        if saved is not None:
            write_atomic(self._history, saved.callbacks["rows"])
            ascent.restore(saved.callbacks["ascent"])

    def offer(self) -> None:
        """Save if it is due."""
        if signals.asked() or time.monotonic() - self._last >= self._seconds:
            said = {"ascent": self._ascent.state(), "rows": self._history.read_text()}
            self._checkpoints.save_checkpoint({"global_step": self._ascent.updates, "callbacks": said}, self._folder)
            self._last = time.monotonic()
