"""Small but complete contents for the page, all made here: no run is needed."""

from typing import Any

import numpy as np

from wmframe.report.animation import best_format, encode
from wmframe.report.contents import (
    Canvas,
    Contents,
    Curve,
    DrivenFilm,
    Frames,
    OpenLoop,
    Reconstructions,
    Score,
    Series,
    StageRow,
)
from wmframe.report.horizon import error_by_horizon

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{ 7*7 }}"


def frames(count: int, seed: int = 0) -> Frames:
    """Make `count` pictures of a road that wanders over a meadow, uint8 (N, 64, 64, 3)."""
    generator = np.random.default_rng(seed)
    pictures = np.full((count, 64, 64, 3), (100, 200, 100), np.uint8)
    columns = np.arange(64)
    middle = 32 + np.cumsum(generator.normal(0, 1, count))
    for picture, centre in zip(pictures, middle, strict=True):
        picture[:, np.abs(columns - centre) < 8] = 105
        picture[48:54, 30:34] = (200, 0, 0)
    return pictures


def returns(mean: float, spread: float, count: int, seed: int = 0) -> list[float]:
    """Draw `count` returns from a normal distribution."""
    return [float(value) for value in np.random.default_rng(seed).normal(mean, spread, count)]


def scores(*, dream: float = 420.0, reality: float = 412.0) -> list[Score]:
    """Return the three scores that tell the story."""
    return [
        Score(
            name="reality",
            label="Driver, awake",
            returns=returns(reality, 180, 24),
            seeds=range(1000, 1024),
            world="reality",
        ),
        Score(
            name="dream",
            label="Driver, dreaming",
            returns=returns(dream, 60, 32, 1),
            world="dream",
            note="τ = 1.15",
        ),
        Score(name="random", label="Random policy", returns=returns(-46, 30, 24, 2), world="reality"),
    ]


def canvas() -> Canvas:
    """Return a latent canvas of two dimensions in three steps."""
    swept = frames(6, 3).reshape(2, 3, 64, 64, 3)
    return Canvas(frames=swept, dimensions=[7, 2], nats=[2.5, 0.31], low=[-2.0, -1.0], high=[2.0, 1.0], total=9)


def driven_film(title: str) -> DrivenFilm:
    """Return a film of three frames."""
    pictures = frames(3, 5)
    return DrivenFilm(title=title, moving=encode(pictures, fps=10, kind=best_format()), still=pictures[1])


def contents(**changes: Any) -> Contents:
    """Return a page's contents with every part filled, after the given changes."""
    steps = np.arange(300.0)
    truth = frames(30)
    parts: dict[str, Any] = {
        "title": "car_racing, quick",
        "subtitle": "wmframe run experiment=car_racing seed=0",
        "scores": scores(),
        "curves": [
            Curve(
                "V: loss",
                "step",
                "loss",
                [Series("train", steps, np.exp(-steps / 50), steps * 0, steps * 0 + 1)],
            ),
            Curve(
                "M: NLL",
                "step",
                "NLL",
                [Series("train", steps, -steps), Series("test", steps, 1 - steps)],
                "ok",
            ),
        ],
        "reconstructions": Reconstructions(frames(4), frames(4, 1)),
        "prior_samples": frames(3, 2),
        "canvas": canvas(),
        "films": [driven_film("round 1's agent"), driven_film("the finished agent")],
        "dream": OpenLoop(truth, np.roll(truth, 1, axis=0), 10),
        "dream_curves": [
            error_by_horizon([OpenLoop(truth, np.roll(truth, 1, axis=0), 10)]),
            Curve(
                "M: weights for z7",
                "step",
                "share",
                [Series("Gaussian 1", steps, steps / 300), Series("Gaussian 2", steps, 1 - steps / 300)],
                stacked=True,
            ),
        ],
        "stages": [
            StageRow("collect", "9f31c2a77be01d", "cached", 151.0),
            StageRow("vision", "4b7e91aa02cc31", "ran", 312.2, ["9f31c2a77be01d"]),
        ],
        "config": {"vision": {"latent_size": 32, "channels": [32, 64]}, "note": None},
        "provenance": {"git": "1a2b3c4", "hardware": {"cores": 2}},
        "notes": ["Round 1 of 1."],
        "learned_in": "dream",
        "episodes": "tracks",
    }
    return Contents(**(parts | changes))


def hostile() -> Contents:
    """Return contents with hostile text wherever a string can stand."""
    bad = HOSTILE
    world: Any = "reality"
    return contents(
        title=bad,
        subtitle=bad,
        scores=[
            Score(name=name, label=bad, returns=[1.0, 2.0], world=world, unit=bad, note=bad)
            for name in (bad, "reality", "dream", "random")
        ],
        curves=[Curve(bad, bad, bad, [Series(bad, [0, 1], [0, 1]), Series(bad, [0, 1], [1, 0])], bad)],
        stages=[StageRow(bad, bad, "ran", 1.0, [bad, "other " + bad])],
        config={bad: {bad: [bad, {bad: bad}]}},
        provenance={bad: bad},
        notes=[bad],
        films=[driven_film(bad)],
        episodes=bad,
    )
