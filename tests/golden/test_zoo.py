"""The shipped agents drive as they did: what each earned on each of its 100 test seeds was recorded, to the last bit.

The score files that are shipped say so to the digit; and agents that drive again earn the same in the real environment,
where an episode does not depend on how a processor rounds (in their dreams it does): a few seeds of each here, all of
them under WMFRAME_TORTURE=full.
"""

from pathlib import Path

import pytest

from tests.golden import files, house, zoo
from tests.golden.translation import TODAY
from tests.torture.scale import FULL

RECORDED = files.read("zoo.json")
DRIVEN = ("reality", "random")
SEEDS = [(0, 50), (50, 50)] if FULL else [(50, 2)]
"""The first and how many: all at once would be answered from the scores that are shipped."""


def test_the_shipped_scores_are_those_that_were_recorded() -> None:
    shipped = zoo.shipped()
    assert shipped.keys() == RECORDED.keys()
    assert all(len(RECORDED[name][world]) == 100 for name in RECORDED for world in (*DRIVEN, "dream"))
    for name, worlds in RECORDED.items():
        assert {TODAY.words.get(world, world): rows for world, rows in worlds.items()} == shipped[name]


@pytest.mark.slow
@pytest.mark.parametrize("named", RECORDED)
def test_an_agent_that_drives_again_earns_the_same(named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for first, count in SEEDS:
        again = zoo.rows(house.rescore(named, first_seed=first, episodes=count))
        for world in DRIVEN:
            found = again[TODAY.words.get(world, world)]
            assert len(found) == count
            assert found == RECORDED[named][world][first : first + count]
