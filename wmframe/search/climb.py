"""Let C climb the gradient of its world, such that a killed climb ends with the same bits.

Settings, a world that has a gradient, C and its start come in; what was found goes out, the history beside it. The
episodes of an update are a function of (seed, update), and what else there is to go on from is kept as plain data.
Called by `GradientSearch.train`.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from torch import Tensor

from wmframe.controller.contract import Controller
from wmframe.engine.durability import failpoints, signals
from wmframe.engine.durability.files import write_atomic
from wmframe.engine.durability.resumable import find_state, write_state
from wmframe.engine.runs.context import HISTORY, StageContext
from wmframe.search.ascend import Ascent
from wmframe.search.contract import Found, SearchContext
from wmframe.search.strategy import Parameters
from wmframe.worlds.contract import World

if TYPE_CHECKING:
    from wmframe.search.settings import GradientSearch

_SAID: Final = "callbacks"
"""Where a state says what the climb has to go on from: as Lightning's checkpoints do, whose format it was once."""


def climb(
    search: "GradientSearch", world: World, controller: Controller, start: Parameters, context: SearchContext
) -> Found:
    """Make all updates, or those that an interrupted climb of the same result still lacks."""
    stage = context.stage
    ascent = Ascent(search, start, stage.machine.device)
    climbed = world.differentiable(
        reparameterization=search.reparameterization,
        risk_tolerance=search.risk_tolerance,
        value_weight=search.value_weight,
    )
    horizon = search.horizon or climbed.horizon
    select_seeds = context.select_seeds(search.select_rollouts)

    def measure(parameters: Parameters) -> float:
        return float(context.score(parameters[None], select_seeds)[0])

    state = _State(stage, ascent)
    begun, selected = ascent.updates, None
    with (
        stage.history(begun) as history,
        stage.progress.stage(stage.name, total=search.all_updates, unit="updates", start=begun) as bar,
    ):
        for number in range(begun + 1, search.all_updates + 1):
            seeds = context.train_seeds(search.dreams, "climb", number)

            def returns(parameters: Tensor, seeds: list[int] = seeds) -> Tensor:
                return climbed.returns(controller, parameters, seeds, horizon=horizon)

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

    def __init__(self, stage: StageContext, ascent: Ascent) -> None:
        self._ascent, self._key, self._seconds = ascent, stage.key, stage.machine.save_seconds
        self._folder: Path = stage.resume / "ascent"
        self._history, self._last = stage.output / HISTORY, time.monotonic()
        saved = find_state(self._folder, self._key, stage.say)
        if saved is not None:
            write_atomic(self._history, saved[_SAID]["rows"])
            ascent.restore(saved[_SAID]["ascent"])

    def offer(self) -> None:
        """Save if it is due."""
        if signals.asked() or time.monotonic() - self._last >= self._seconds:
            said = {"ascent": self._ascent.state(), "rows": self._history.read_text()}
            state = {"global_step": self._ascent.updates, _SAID: said}
            write_state(self._folder, state, self._key, step=self._ascent.updates)
            self._last = time.monotonic()
