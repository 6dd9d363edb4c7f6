"""Nevergrad's ask and tell, written down batch by batch and replayed from there: no pickle, and the same bits.

A space and what scores its points come in, the optimizer's recommendation goes out. An optimizer that is asked and told
the same again is where it was, so the ledger of what was asked and told is all that a killed search needs.
"""

import difflib
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from nevergrad.optimization.optimizerlib import registry

from hydra_plugins.wmframe_nevergrad._space import Space
from wmframe.engine.durability.checksummed import VouchedLines
from wmframe.engine.errors import UserError

_OTHERS = "NGOpt4, OnePlusOne, TwoPointsDE"

Losses = Callable[[Sequence[Sequence[str]], int], Sequence[float | None]]


class Search:
    """`budget` points of a space, `workers` at a time; what was asked and told is kept in the JSONL file `ledger`."""

    def __init__(self, space: Space, optimizer: str, budget: int, workers: int, seed: int, ledger: Path) -> None:
        if budget < 1 or workers < 1:
            raise UserError("hydra.sweeper.budget and hydra.sweeper.num_workers are at least 1")
        if optimizer not in registry:
            near = ", ".join(difflib.get_close_matches(optimizer, registry, 3)) or _OTHERS
            raise UserError(f"hydra.sweeper.optimizer={optimizer} is not one of Nevergrad's. Did you mean {near}?")
        space.parameters.random_state.seed(seed)
        self._space, self._budget, self._workers, self._ledger = space, budget, workers, ledger
        self._name = optimizer
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Nevergrad warns of settings that its own optimizers choose
            self._optimizer = registry[optimizer](space.parameters, budget=budget, num_workers=workers)

    def minimise(self, losses: Losses) -> list[str]:
        """Return the overrides that the optimizer recommends.

        `losses` gives every job's, None for one that failed, which then counts as the worst there is so far. Raises
        UserError if a search cannot be replayed here, or nothing has a loss.
        """
        lines = VouchedLines(self._ledger, self._ledger.parent.name, lambda line: print(line, file=sys.stderr))
        worst: float | None = None
        for number, first in enumerate(range(0, self._budget, self._workers)):
            asked, jobs = self._ask(min(self._workers, self._budget - first))
            known = lines.rows[number] if number < len(lines.rows) else None
            if known is not None and known["asked"] != jobs:
                raise UserError(
                    f"{self._ledger}: cannot be repeated bit for bit here, so the search cannot go on. "
                    "Remove the file to begin it again; jobs that finished are not run again.",
                    exit_code=1,
                )
            told = list(losses(jobs, first)) if known is None else known["told"]
            if known is None:
                lines.add({"asked": jobs, "told": told})
            worst = max(
                [*([] if worst is None else [worst]), *(loss for loss in told if loss is not None)], default=None
            )
            if worst is None:
                raise UserError("none of the search's first jobs has a score", exit_code=1)
            self._tell(asked, [worst if loss is None else loss for loss in told])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self._space.overrides(self._optimizer.recommend().value)

    def _ask(self, count: int) -> tuple[list[Any], list[list[str]]]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                asked = [self._optimizer.ask() for _ in range(count)]
        except Exception as error:  # with this numpy some of Nevergrad's optimizers break once they fit a model
            said = f"hydra.sweeper.optimizer={self._name} broke off: {type(error).__name__}: {error}".splitlines()[0]
            raise UserError(f"{said}. Try {_OTHERS}; what was computed is not computed again.", exit_code=1) from error
        return asked, [self._space.overrides(candidate.value) for candidate in asked]

    def _tell(self, asked: Sequence[Any], losses: Sequence[float]) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for candidate, loss in zip(asked, losses, strict=True):
                self._optimizer.tell(candidate, loss)
