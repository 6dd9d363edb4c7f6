"""The scoreboard in words: one sentence, the difference to random, and what the dream promised.

In: the scores by name. Out: sentences for the top of the page. They claim no more than the episodes show.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wmframe.report.contents import Contents, Score
from wmframe.report.numbers import decimals, number, signed, significant
from wmframe.report.statistics import mean_difference, promises_too_much, summarise

DRIVERS = {
    "dream": "The driver learned only in its dream;",
    "reality": "The driver learned in reality;",
    "both": "The driver learned in its dream, and went on in reality;",
    None: "The driver was scored:",
}


@dataclass(frozen=True)
class Story:
    """The sentences at the top; an empty one is not shown. `warning` is set off from the rest."""

    headline: str
    difference: str = ""
    gap: str = ""
    warning: str = ""


def tell(contents: Contents) -> Story:
    """Tell the story of a run from its scores "reality", "random" and "dream"; without, what else it came to."""
    scores = {score.name: score for score in contents.scores}
    places = decimals(value for score in contents.scores for value in score.returns)
    if "reality" not in scores:
        return Story(headline=_without_reality(contents, places))
    warning = ""
    if "dream" in scores and promises_too_much(*comparable(scores["dream"], scores["reality"])[:2]):
        warning = (
            "The dream promises much more than reality pays. The driver may have learned to exploit the "
            "errors of M: do not read its dream return as skill. A higher temperature makes the dream harder "
            "to exploit."
        )
    return Story(
        headline=_headline(contents, scores, places),
        difference=_difference(scores, places),
        gap=_gap(scores, places),
        warning=warning,
    )


def _without_reality(contents: Contents, places: int) -> str:
    found = [f"{score.label} {_spread(score, places)}" for score in contents.scores if score.world == ""]
    found += [f"{name} {number(value, significant([value]))}" for name, value in contents.metrics.items()]
    return f"This run came to {', '.join(found)}." if found else "Nothing has scored this run."


def comparable(dream: Score, reality: Score) -> tuple[Sequence[float], Sequence[float], str]:
    """Return dream and real returns that may be set side by side, and the words for what they count.

    Where lengths are known and differ by more than a tenth, as a short dream's do from a whole lap's, that is the
    return per 100 steps.
    """
    if len(dream.steps) == 0 or len(reality.steps) == 0:
        return dream.returns, reality.returns, ""
    lengths = [sum(score.steps) / len(score.steps) for score in (dream, reality)]
    if abs(lengths[0] - lengths[1]) <= max(lengths) / 10:
        return dream.returns, reality.returns, ""
    return paces(dream), paces(reality), "per 100 steps, "


def paces(score: Score) -> Sequence[float]:
    """Return what each episode earned per 100 steps; its lengths must be known."""
    return [100 * r / n for r, n in zip(score.returns, score.steps, strict=True)]


def _spread(score: Score, places: int) -> str:
    summary = summarise(score.returns)
    mean = number(summary.mean, places)
    return mean if summary.std is None else f"{mean} ± {number(summary.std, places)}"


def _headline(contents: Contents, scores: Mapping[str, Score], places: int) -> str:
    reality = scores["reality"]
    n = len(reality.returns)
    where = "on one unseen episode" if n == 1 else f"on {n} unseen {contents.episodes}"
    sentence = f"{DRIVERS[contents.learned_in]} {where} it scores {_spread(reality, places)}"
    if "random" not in scores:
        return f"{sentence}."
    return f"{sentence}, the random policy {_spread(scores['random'], places)}."


def _difference(scores: Mapping[str, Score], places: int) -> str:
    if "random" not in scores:
        return "No random policy was scored beside it, so nothing says how much of this is skill."
    interval = mean_difference(scores["reality"].returns, scores["random"].returns)
    if interval is None:
        return "With fewer than two episodes of either, the difference to the random policy has no interval."
    verdict = "It includes zero: these episodes do not tell the driver from the random policy."
    if interval.low > 0:
        verdict = "It lies above zero: on these episodes the driver is better than random."
    elif interval.high < 0:
        verdict = "It lies below zero: on these episodes the driver is worse than random."
    low, high = number(interval.low, places), number(interval.high, places)
    return (
        f"Reality minus random: {signed(interval.mean, places)}, 95 % interval {low} to {high} (Welch's t, "
        f"over episodes of this one driver; no interval over training runs, n = 1). {verdict}"
    )


def _gap(scores: Mapping[str, Score], places: int) -> str:
    if "dream" not in scores:
        return "This driver was not scored in a dream, so there is no dream return to set beside the real one."
    dreamt, paid, unit = comparable(scores["dream"], scores["reality"])
    dream, reality = summarise(dreamt).mean, summarise(paid).mean
    gap = dream - reality
    pair = f"{unit}dream {number(dream, places)}, reality {number(reality, places)}:"
    pair = pair[0].upper() + pair[1:]
    if number(gap, places) == number(0.0, places):
        return f"{pair} reality pays what the dream promises."
    if gap < 0:
        return f"{pair} reality pays {number(-gap, places)} more than the dream promises."
    # of a promise that is overrun, or was none, no share can be named
    share = f"; {number(100 * gap / dream)} % of the promise is not kept" if 0 < gap <= dream else ""
    return f"{pair} the dream promises {number(gap, places)} more than reality pays{share}."
