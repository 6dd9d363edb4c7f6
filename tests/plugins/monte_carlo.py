"""A recipe without an agent, a network or an evaluation: points are drawn, and a mean is estimated over them.

`draw` writes points of a normal distribution. `estimate` goes over them batch by batch, keeps each batch's sums in a
ledger, so that it can go on after a kill, and publishes what the mean of |x|^power came to.
"""

# mypy: disable-error-code="empty-body"

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import PositiveFloat, PositiveInt

from wmframe.engine.durability import failpoints, signals
from wmframe.engine.durability.checksummed import VouchedLines
from wmframe.engine.graph.recipe import Recipe
from wmframe.engine.graph.stage import Handle, stage

if TYPE_CHECKING:
    from wmframe.engine.runs.context import StageContext


class Points(Handle):
    """Points of a distribution."""


class Estimate(Handle):
    """A mean over points, and how sure of it one may be."""


@stage(version=1, run="monte_carlo:write_points", amounts=["count"])
def draw(*, count: int, spread: float, seed: int) -> Points:
    """Draw points."""


@stage(version=1, run="monte_carlo:write_estimate", sized_by="points", length=["batches"])
def estimate(*, points: Points, power: int, batches: int) -> Estimate:
    """Estimate a mean over points."""


@dataclass(frozen=True, kw_only=True)
class MonteCarlo(Recipe):
    """Draw `count` points of N(0, spread²), and estimate the mean of |x|^power over them in so many batches."""

    count: PositiveInt
    spread: PositiveFloat
    power: PositiveInt
    batches: PositiveInt

    def result(self) -> Estimate:
        """Return the estimate."""
        points = draw(count=self.count, spread=self.spread, seed=self.seed)
        return estimate(points=points, power=self.power, batches=self.batches)


def write_points(context: "StageContext", *, count: int, spread: float, seed: int) -> None:
    """Write the points (count,) as float64."""
    np.save(context.output / "points.npy", np.random.default_rng(seed).normal(0.0, spread, count))


def write_estimate(context: "StageContext", *, points: Path, power: int, batches: int) -> None:
    """Go over the points, from where the ledger stands; the history is written anew from it, row by row."""
    parts = np.array_split(np.abs(np.load(points / "points.npy")) ** power, batches)
    ledger = VouchedLines(context.resume / "batches.jsonl", context.key, context.say)
    begun, sums, found = len(ledger.rows), {"count": 0.0, "sum": 0.0, "squares": 0.0}, dict[str, float]()
    with (
        context.history() as history,
        context.progress.stage(context.name, total=batches, unit="batches", start=begun) as bar,
    ):
        for number, part in enumerate(parts, 1):
            known = ledger.rows[number - 1] if number <= begun else None
            batch = known or {"count": len(part), "sum": float(part.sum()), "squares": float((part**2).sum())}
            sums = {name: value + float(batch[name]) for name, value in sums.items()}
            found = _estimated(sums)
            history.log(number, {f"estimate/{name}": value for name, value in found.items()})
            if known is None:
                ledger.add(batch)
                bar.update(done=number)
                failpoints.reach("estimate.batch")
            signals.check()
    context.metrics({**found, "points": sums["count"]})


def _estimated(sums: Mapping[str, float]) -> dict[str, float]:
    mean = sums["sum"] / sums["count"]
    variance = max(0.0, sums["squares"] / sums["count"] - mean**2)
    return {"mean": mean, "standard_error": math.sqrt(variance / sums["count"])}
