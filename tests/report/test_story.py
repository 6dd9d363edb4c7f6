from typing import Any

import pytest

from tests.report.examples import contents, scores
from wmframe.report.contents import Score
from wmframe.report.story import comparable, tell


def given(**returns: list[float]) -> list[Score]:
    return [
        Score(name=name, label=name, returns=values, world="dream" if name == "dream" else "reality")
        for name, values in returns.items()
    ]


def test_one_sentence_says_where_it_learned_and_what_it_scores() -> None:
    few = given(reality=[400.0, 424.0], random=[-46.0, -46.0])
    assert tell(contents(scores=few)).headline == (
        "The driver learned only in its dream; on 2 unseen tracks it scores 412 ± 17, the random policy −46 ± 0."
    )


@pytest.mark.parametrize(
    ("where", "start"),
    [("reality", "The driver learned in reality; on 24"), (None, "The driver was scored: on 24")],
)
def test_the_sentence_claims_no_dream_where_there_was_none(where: Any, start: str) -> None:
    headline = tell(contents(learned_in=where)).headline
    assert headline.startswith(start)
    assert "dream" not in headline


def test_the_difference_has_its_interval_and_says_what_it_is_over() -> None:
    text = tell(contents()).difference
    assert "Welch's t, over episodes of this one driver; no interval over training runs, n = 1" in text
    assert "above zero" in text


@pytest.mark.parametrize(
    ("real", "verdict"), [([0.0, 10.0, 5.0], "includes zero"), ([-400.0, -410.0, -390.0], "below zero")]
)
def test_a_driver_that_is_not_better_is_not_called_better(real: list[float], verdict: str) -> None:
    text = tell(contents(scores=given(reality=real, random=[4.0, 6.0, 2.0]))).difference
    assert verdict in text
    assert "better" not in text


def test_what_was_not_scored_awake_is_told_by_its_own_names() -> None:
    hard = Score(name="hard", label="hard", returns=[4.0, 6.0], world="")
    told = tell(contents(scores=[hard], metrics={"fit/error": 0.0218533, "fit/points": 4000.0})).headline
    assert told == "This run came to hard 5.00 ± 1.41, fit/error 0.02185, fit/points 4000."


def test_what_is_missing_is_said() -> None:
    assert tell(contents(scores=[])).headline == "Nothing has scored this run."
    assert tell(contents(scores=scores()[1:])).headline == "Nothing has scored this run."
    alone = tell(contents(scores=given(reality=[3.0])))
    assert alone.headline == "The driver learned only in its dream; on one unseen episode it scores 3.00."
    assert "No random policy" in alone.difference
    assert "not scored in a dream" in alone.gap
    assert "no interval" in tell(contents(scores=given(reality=[3.0], random=[1.0]))).difference


def test_the_gap_is_stated_in_words_either_way() -> None:
    more = tell(contents(scores=given(dream=[800.0, 802.0], reality=[400.0, 402.0])))
    assert more.gap == (
        "Dream 801, reality 401: the dream promises 400 more than reality pays; 50 % of the promise is not kept."
    )
    less = tell(contents(scores=given(dream=[300.0, 300.0], reality=[400.0, 400.0])))
    assert less.gap == "Dream 300, reality 400: reality pays 100 more than the dream promises."
    same = tell(contents(scores=given(dream=[400.0], reality=[400.2])))
    assert same.gap == "Dream 400, reality 400: reality pays what the dream promises."
    worse = tell(contents(scores=given(dream=[100.0], reality=[-100.0])))
    assert worse.gap == "Dream 100, reality −100: the dream promises 200 more than reality pays."


def test_a_dream_that_promises_much_more_is_warned_of() -> None:
    assert "exploit the errors of M" in tell(contents(scores=scores(dream=900.0))).warning
    assert tell(contents(scores=scores(dream=420.0))).warning == ""


def test_a_short_dream_is_compared_with_a_long_episode_by_the_step() -> None:
    dream = Score(name="dream", label="dream", returns=[90.0, 110.0], steps=[50, 50], world="dream")
    reality = Score(name="reality", label="awake", returns=[400.0, 600.0], steps=[250, 250], world="reality")
    dreamt, paid, unit = comparable(dream, reality)
    assert list(dreamt) == [180.0, 220.0]
    assert list(paid) == [160.0, 240.0]
    assert unit == "per 100 steps, "
    assert comparable(reality, reality) == (reality.returns, reality.returns, "")
