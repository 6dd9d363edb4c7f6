"""What a run will still take: closed forms over durations that are given, on a clock that is told the time."""

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from tests.engine.tracking.test_progress import Clock
from wmframe.cli.prepare import EXPERIMENT
from wmframe.engine.config.bind import Component, bind
from wmframe.engine.config.compose import compose
from wmframe.engine.graph.forecast import Forecast
from wmframe.engine.graph.node import Node
from wmframe.engine.graph.outlook import Outlook, told
from wmframe.engine.graph.recipe import nodes_of
from wmframe.engine.graph.work import work_of
from wmframe.engine.store.artefact import seal
from wmframe.engine.tracking.progress import Bar, Progress

STRANGER = Component(target="theirs.Part", arguments={})
"""Somebody else's component, of which nothing is known."""


def nodes(*overrides: str) -> list[Node]:
    return nodes_of(bind(compose(["env=toy", "preset=smoke", "rounds=3", *overrides]), target=EXPERIMENT))


def work(node: Node) -> float:
    found = work_of(node)
    assert found is not None
    return found.seconds


def publish(root: Path, node: Node, seconds: float) -> None:
    """Put a node's result into the store, one that took so many seconds."""
    folder = root / "artefacts" / node.stage.name / node.key
    folder.mkdir(parents=True)
    (folder / "facts.json").write_text("{}")
    seal(folder, node.request, wall_seconds=seconds)


class Followed:
    """An outlook on some nodes, and the bar of a stage at work."""

    def __init__(self, found: Sequence[Node], root: Path) -> None:
        self.nodes = list(found)
        self.outlook = Outlook(found, Forecast(root))
        self.clock = Clock()

    def ran(self, count: int, times: float) -> None:
        """Let the first stages run, each taking `times` what the table says."""
        for node in self.nodes[:count]:
            self.outlook.begin(node.name)
            self.outlook.end(node.name, times * work(node))

    @contextmanager
    def at(self, place: int, *, total: int | None = 100, start: int = 0) -> Iterator[Bar]:
        """Let a stage begin."""
        name = self.nodes[place].name
        self.outlook.begin(name)
        with Progress(None, clock=self.clock).stage(name, total=total, unit="steps", start=start) as bar:
            yield bar


def test_it_is_the_sum_of_what_is_missing_by_the_pace_of_this_run(tmp_path: Path) -> None:
    followed = Followed(nodes(), tmp_path)
    followed.ran(5, times=3.0)
    with followed.at(5) as bar:
        seconds, unknown = followed.outlook.left(bar)
        assert seconds == pytest.approx(3 * sum(map(work, followed.nodes[5:])))
        assert not unknown
        followed.clock.now += 1
        bar.update(done=10)  # at a rate that is not believed yet
        rest = 0.9 * work(followed.nodes[5])
        assert followed.outlook.left(bar)[0] == pytest.approx(3 * (rest + sum(map(work, followed.nodes[6:]))))


def test_stages_of_a_kind_have_a_pace_of_their_own(tmp_path: Path) -> None:
    followed = Followed(nodes(), tmp_path)
    paces = {"collect": 5.0, "vision": 7.0, "latents": 11.0, "memory": 13.0, "controller": 17.0}
    for node in followed.nodes[:9]:  # two rounds of all, V in one
        followed.outlook.begin(node.name)
        followed.outlook.end(node.name, paces[node.stage.name] * work(node))
    left = {node.name: node for node in followed.nodes[9:]}
    scored = sum(work(left.pop(name)) for name in ("baseline", "evaluate"))
    agent = work(left.pop("agent"))
    known = sum(paces[node.stage.name] * work(node) for node in left.values())
    assert set(left) == {"collect.3", "latents.1_3", "memory.3", "controller.3"}
    with followed.at(9) as bar:
        arithmetic = [node for node in followed.nodes[:9] if node.stage.name != "collect"]
        by_table = sum(map(work, arithmetic))
        pace = sum(paces[node.stage.name] * work(node) for node in arithmetic) / by_table
        assert followed.outlook.left(bar)[0] == pytest.approx(known + 5.0 * scored + pace * agent)


def test_the_stage_at_work_is_judged_by_its_own_rate_and_teaches_the_others(tmp_path: Path) -> None:
    followed = Followed(nodes("vision.steps=2000"), tmp_path)
    with followed.at(0) as bar:
        others = sum(map(work, followed.nodes[1:]))
        bar.update(done=25)
        assert followed.outlook.left(bar)[0] == pytest.approx(0.75 * work(followed.nodes[0]) + others)
        followed.clock.now += 100.0
        pace = 100.0 / (0.25 * work(followed.nodes[0]))
        assert followed.outlook.left(bar)[0] == pytest.approx(300.0 + pace * others)


def test_a_resumed_stage_counts_for_what_it_did_itself(tmp_path: Path) -> None:
    followed = Followed(nodes(), tmp_path)
    with followed.at(0, start=75) as bar:
        followed.outlook.line(bar)
    followed.outlook.end(followed.nodes[0].name, 0.25 * 8.0 * work(followed.nodes[0]))
    with followed.at(1) as bar:
        assert followed.outlook.left(bar)[0] == pytest.approx(8 * sum(map(work, followed.nodes[1:])))


def test_what_is_there_already_takes_no_time(tmp_path: Path) -> None:
    found = nodes()
    for node in found[:13]:
        publish(tmp_path, node, 1000.0)
    followed = Followed(found, tmp_path)
    for node in found[:13]:
        followed.outlook.begin(node.name)
        followed.outlook.end(node.name, None)
    with followed.at(13) as bar:
        assert followed.outlook.left(bar)[0] == pytest.approx(sum(map(work, found[13:])))


def test_a_stored_result_that_was_as_much_work_tells_what_a_stage_will_take(tmp_path: Path) -> None:
    for node in nodes("seed=1"):
        publish(tmp_path, node, 40.0)
    found = nodes("seed=2")
    followed = Followed(found, tmp_path)
    missing = [node for node in found if node.stage.name != "baseline"]  # which has no seed, and is there
    with followed.at(0) as bar:
        assert followed.outlook.left(bar) == (40.0 * len(missing), False)
        assert followed.outlook.line(bar) == f"stage 1 of {len(found)}, about {round(40 * len(missing) / 60)} min left"


def test_before_anything_was_timed_here_it_is_a_guess_and_says_so(tmp_path: Path) -> None:
    followed = Followed(nodes("vision.steps=20000"), tmp_path)
    with followed.at(0) as bar:
        assert re.fullmatch(r"stage 1 of 16, perhaps \d+ min left", followed.outlook.line(bar))
        bar.update(done=50)
        followed.clock.now += 60
        assert re.fullmatch(r"stage 1 of 16, about .* left", followed.outlook.line(bar))


def test_what_nobody_can_judge_is_left_out_and_said_to_be(tmp_path: Path) -> None:
    found = nodes("vision.steps=20000")
    found[3] = replace(found[3], config={**found[3].config, "memory": STRANGER})
    followed = Followed(found, tmp_path)
    with followed.at(0) as bar:
        seconds, unknown = followed.outlook.left(bar)
        assert seconds == pytest.approx(sum(work(node) for node in found if node is not found[3]))
        assert unknown
        assert ", more than " in followed.outlook.line(bar)


def test_where_nothing_is_known_only_the_place_is_told(tmp_path: Path) -> None:
    found = [
        replace(node, config=dict.fromkeys(node.config, STRANGER)) for node in nodes() if node.stage.name == "memory"
    ]
    followed = Followed(found, tmp_path)
    with followed.at(1, total=None) as bar:
        bar.update(done=5)
        assert followed.outlook.line(bar) == "stage 2 of 3"


def test_a_stage_at_an_even_pace_never_makes_the_rest_longer(tmp_path: Path) -> None:
    followed = Followed(nodes("vision.steps=3000"), tmp_path)
    followed.ran(1, times=2.0)
    lefts = []
    with followed.at(1, total=3000) as bar:
        for step in range(1, 3001):
            followed.clock.now += 2.0 * work(followed.nodes[1]) / 3000
            bar.update(done=step)
            lefts.append(followed.outlook.left(bar)[0])
    known = [seconds for seconds in lefts if seconds is not None]
    assert len(known) == 3000
    assert all(later <= earlier + 1e-6 for earlier, later in pairwise(known))


def test_a_run_shows_it_beside_the_stage(tmp_path: Path) -> None:
    followed, stream = Followed(nodes(), tmp_path), io.StringIO()
    progress = Progress(stream, clock=followed.clock)
    followed.ran(1, times=2.0)
    followed.outlook.begin("vision.1")
    with progress.within(followed.outlook.line), progress.stage("vision.1", total=20, unit="steps") as bar:
        followed.clock.now += 31
        bar.update(done=10)
    first, then, _ = stream.getvalue().splitlines()
    assert re.fullmatch(r"vision\.1  starting: 0 % 0/20 steps  \(run: stage 2 of 16, .* left\)", first)
    assert re.fullmatch(r"vision\.1  50 % .* 0:31 left  \(run: stage 2 of 16, about .* left\)", then)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "a few seconds"),
        (9.9, "a few seconds"),
        (44, "about 40 s"),
        (89, "about 90 s"),
        (91, "about 2 min"),
        (1020, "about 17 min"),
        (3600, "about 1 h"),
        (6100, "about 1 h 40 min"),
        (360_000, "about 100 h"),
    ],
)
def test_a_doubtful_duration_has_few_figures(seconds: float, text: str) -> None:
    assert told(seconds, "about") == text
