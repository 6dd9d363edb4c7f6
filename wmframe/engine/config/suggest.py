"""The nearest valid names to a mistyped one.

In: what was typed and everything that would have been right. Out: at most three names, the likeliest first.
Called by everything that answers a mistake.
"""

from collections.abc import Iterable
from difflib import SequenceMatcher

CUTOFF = 0.6
MARGIN = 0.15  # names this much further off than the best are noise beside it


def nearest(typed: str, known: Iterable[str], *, limit: int = 3, cutoff: float = CUTOFF) -> list[str]:
    """The closest of `known`, dotted or not; a key typed without its group still finds its place.

    Of equals, the shallower comes first, then the one that `known` has first.
    """
    scored = [(similarity(typed, name), name) for name in dict.fromkeys(known)]
    best = sorted((s for s in scored if s[0] >= cutoff), key=lambda s: (-s[0], s[1].count(".")))
    return [name for score, name in best[:limit] if score > best[0][0] - MARGIN]


def similarity(typed: str, name: str) -> float:
    """1 for the same key, towards 0 for strangers: as whole text, or last word and place compared apart."""
    place, _, word = typed.lower().rpartition(".")
    other_place, _, other_word = name.lower().rpartition(".")
    places = _ratio(place, other_place) if place else 0.5
    if word == other_word:
        places = max(places, 0.5)  # the right word in the wrong place: a stronger hint than a like word in the right
    return max(_ratio(typed.lower(), name.lower()), 0.6 * _ratio(word, other_word) + 0.4 * places)


def did_you_mean(names: list[str]) -> str:
    """A closing sentence with the names, or nothing."""
    return f" Did you mean {', '.join(names)}?" if names else ""


def _ratio(a: str, b: str) -> float:
    return SequenceMatcher(None, a, b, autojunk=False).ratio()
