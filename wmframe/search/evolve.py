"""The search for C, generation by generation, resumable without a pickle.

A strategy and two ways to score come in, the found parameters go out. What a killed search needs is only what it was
told: the ledger keeps every generation's fitness, and asking and telling again brings any optimizer to the same bits.
Called by `evolution`. Legend: P population, M finalists, D parameters.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from wmframe.engine.durability import failpoints, signals
from wmframe.engine.durability.checksummed import VouchedLines
from wmframe.engine.errors import UserError
from wmframe.search.contract import Found, Scores
from wmframe.search.strategy import RESCORED, Parameters, Strategy, fingerprint

if TYPE_CHECKING:
    from wmframe.search.settings import Search


@dataclass(frozen=True)
class Generation:
    """One generation as the ledger keeps it: candidates' fingerprint, fitness (P,), finalists' select scores (M,)."""

    candidates: str
    fitness: tuple[float, ...]
    select: tuple[float, ...]


class CannotRepeatError(UserError):
    """What the ledger says was asked is not what is asked here: it is of another machine or library version."""


class Ledger:
    """An append-only JSONL file of one search's generations. `owner` is the key of what is searched.

    `generations` are those that stood in it when it was opened. A line cut short by a kill is dropped; so are a damaged
    line and all behind it, and `say` is told.
    """

    def __init__(self, path: Path, owner: str, say: Callable[[str], None]) -> None:
        self._lines = VouchedLines(path, owner, say)
        self.generations = [Generation(**row) for row in self._lines.rows]

    def add(self, generation: Generation) -> None:
        """Write one more generation."""
        self._lines.add(asdict(generation))

    def clear(self) -> None:
        """Forget all generations."""
        self._lines.clear()
        self.generations.clear()


def evolve(
    search: "Search",
    strategy: Strategy,
    *,
    fitness: Callable[[Parameters, int], Scores],
    select: Callable[[Parameters], Scores],
    ledger: Ledger,
    report: Callable[[int, Mapping[str, float]], None],
) -> Found | None:
    """Run `search.generations` and return what `search.returned` says, or None if there were none to run.

    `fitness` scores candidates (P, D) of a generation on train seeds, `select` scores finalists (M, D) on select
    seeds; more is better. Generations that the ledger knows are replayed, not run; `report` hears of all.
    Raises UserError for a score that is no number, and CannotRepeatError if the replay comes out otherwise, as it may
    on another machine or library version.
    """
    past, best = tuple(ledger.generations), None
    for number in range(1, search.generations + 1):
        candidates = strategy.ask()
        known = past[number - 1] if number <= len(past) else None
        if known is not None and known.candidates != fingerprint(candidates):
            raise CannotRepeatError(
                f"generation {number} cannot be repeated bit for bit here, so the search cannot go on", exit_code=1
            )
        scores = fitness(candidates, number) if known is None else np.array(known.fitness)
        strategy.tell(scores)
        checked = number == search.generations or number % search.check_every == 0
        finalists = _finalists(strategy, candidates, scores) if checked else candidates[:0]
        first = checked and best is None and search.returned == "improved"
        entrants = np.concatenate([strategy.start[None], finalists]) if first else finalists
        selected = select(entrants) if checked and known is None else np.array(known.select if known else ())
        if not np.isfinite(selected).all():
            raise UserError(
                f"search: the finalists of generation {number} have no finite return on select seeds, so the world "
                "returned NaN or infinity. Lower memory.learning_rate and train M again.",
                exit_code=1,
            )
        began, stands = np.split(selected, [int(first)])
        report(number, _summary(scores, stands, began))
        if known is None:
            ledger.add(Generation(fingerprint(candidates), tuple(scores.tolist()), tuple(selected.tolist())))
            failpoints.reach("search.generation")
        signals.check()
        if first:
            best = Found(strategy.start, float(began[0]), 0)
        best = _better(best, finalists, stands, number, keep=search.returned != "mean")
    return best


def _finalists(strategy: Strategy, candidates: Parameters, scores: Scores) -> Parameters:
    mean = strategy.mean()
    return candidates[np.argsort(-scores)[:RESCORED]] if mean is None else mean[None]


def _better(best: Found | None, finalists: Parameters, selected: Scores, number: int, *, keep: bool) -> Found | None:
    """Return the best of the finalists, or what stood before if that is to be kept and is better."""
    if len(finalists) == 0:
        return best
    first = int(selected.argmax())
    if keep and best is not None and best.select_score >= selected[first]:
        return best
    return Found(finalists[first], float(selected[first]), number)


def _summary(scores: Scores, stands: Scores, began: Scores) -> dict[str, float]:
    """Return a generation's row; what was not scored in it is left out."""
    scored = {"controller/select_return": stands, "controller/start_return": began}
    return {
        "controller/fitness_mean": float(scores.mean()),
        "controller/fitness_best": float(scores.max()),
        "controller/fitness_std": float(scores.std()),
        **{name: float(returns.max()) for name, returns in scored.items() if len(returns)},
    }
