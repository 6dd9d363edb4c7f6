"""The page as text: complete, escaped, bound to nothing outside itself."""

import re
import warnings
from itertools import pairwise
from pathlib import Path

import pytest

from tests.report.examples import HOSTILE, contents, hostile, scores
from tests.report.reader import read
from wmframe.report.contents import Contents
from wmframe.report.page import render, write

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def has(html: str, *texts: str) -> bool:
    """Whether all texts are on the page; after a bare `in`, pytest would compare them with it for minutes."""
    return all(text in html for text in texts)


@pytest.fixture(scope="module")
def whole() -> str:
    return render(contents())


@pytest.fixture(scope="module")
def attacked() -> str:
    return render(hostile())


def test_every_part_is_on_the_page_in_order(whole: str) -> None:
    words = " ".join(read(whole).words)
    parts = [
        "The driver learned only in its dream; on 24 unseen tracks",
        "Scoreboard",
        "Reality minus random",
    ]
    parts += ["The agent, round by round"]
    parts += ["The dream beside reality", "Error of the dream, by horizon", "M: weights for z7", "What V keeps"]
    parts += ["What V invents", "What each latent says", "7 of 9 carry next to nothing", "2.50 nats", "0.31 nats"]
    parts += ["Curves", "V: loss", "Stages"]
    parts += ["Notes", "Configuration", "latent_size: 32", "Provenance", "1a2b3c4"]
    places = [words.index(part) for part in parts]
    assert places == sorted(places)


def test_tags_are_balanced_and_ids_are_unique(whole: str) -> None:
    reader = read(whole)
    assert reader.open == []
    ids = [attributes["id"] for tag, attributes in reader.tags if "id" in attributes and tag not in ("path", "rect")]
    assert len(ids) == len(set(ids))


def test_one_first_heading_and_no_level_left_out(whole: str) -> None:
    levels = [int(tag[1]) for tag, _ in read(whole).tags if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))


def test_every_picture_is_described(whole: str) -> None:
    for tag, attributes in read(whole).tags:
        if tag == "img":
            assert attributes["alt"] is not None
        if attributes.get("role") == "img":
            assert attributes["aria-label"]


@pytest.mark.parametrize("page", ["whole", "attacked"])
def test_nothing_points_outside_the_page(page: str, request: pytest.FixtureRequest) -> None:
    html: str = request.getfixturevalue(page)
    harmless = html.replace("&lt;img src=x onerror=alert(2)&gt;", "")
    assert not has(html, "http:")
    assert not has(html, "https:")
    assert has(html, "url(#")  # matplotlib clips a line to its axes
    assert re.findall(r"""url\((?!#)""", html) == []
    assert re.findall(r"""src(?:set)?=(?!"data:image/)""", harmless) == []
    assert re.findall(r'href="(?!#|data:,")', html) == []
    assert not has(html, "@import")


@pytest.mark.parametrize("page", ["whole", "attacked"])
def test_there_is_no_script_and_a_policy_that_forbids_one(page: str, request: pytest.FixtureRequest) -> None:
    tags = read(request.getfixturevalue(page)).tags
    assert {"script", "iframe", "object", "embed", "form", "base"}.isdisjoint(tag for tag, _ in tags)
    assert [a for _, attributes in tags for a in attributes if a.startswith("on")] == []
    assert {"http-equiv": "Content-Security-Policy", "content": POLICY} in [a for tag, a in tags if tag == "meta"]


def test_hostile_text_is_shown_as_text_wherever_it_stands(attacked: str) -> None:
    reader = read(attacked)
    assert not has(attacked, HOSTILE)
    assert not has(attacked, "<script")
    shown = "".join(reader.words)
    # nor is it a template: the {{ 7*7 }} within it comes back as it went in
    assert shown.count(HOSTILE) >= 20
    assert reader.open == []


def test_the_same_contents_give_the_same_page(whole: str) -> None:
    same = render(contents()) == whole
    assert same


def test_an_empty_run_still_has_a_page() -> None:
    html = render(Contents(title="new", subtitle=""))
    assert has(html, "Nothing has scored this run")
    for heading in ("Scoreboard", "Gallery", "Curves", "Stages", "Notes", "Configuration"):
        assert f">{heading}</h2>" not in html
    assert read(html).open == []


def test_dream_and_reality_stand_in_one_table(whole: str) -> None:
    table = whole[whole.index("<table") : whole.index("</table>")]
    assert has(table, "Driver, awake")
    assert has(table, "Driver, dreaming")
    assert has(table, "Random policy")
    assert table.count("<circle") == sum(len(score.returns) for score in scores())


def test_the_warning_is_on_the_page_when_it_is_due(whole: str) -> None:
    assert not has(whole, "Warning.")
    assert has(render(contents(scores=scores(dream=900.0))), "exploit the errors of M")


def test_stages_link_to_the_stages_they_were_made_from(whole: str) -> None:
    assert has(whole, '<a href="#stage-0">collect 9f31c2a77b</a>')
    assert has(whole, '<tr id="stage-0">')
    assert has(whole, "1 of 2 stages ran, in 5 min 12 s")


def test_the_page_is_written_whole(tmp_path: Path, whole: str) -> None:
    path = write(contents(), tmp_path / "runs" / "report.html")
    same = path.read_text(encoding="utf-8") == whole
    assert same
    assert [entry.name for entry in path.parent.iterdir()] == ["report.html"]


def test_a_page_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    folder = tmp_path / "report.html"
    folder.mkdir()
    with pytest.raises(OSError, match=r"report\.html"):
        write(Contents(title="x", subtitle=""), folder)
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_text_beyond_ascii_and_a_thousand_names_raise_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert has(render(contents(title="夢 🚗", notes=["夢"])), "夢 🚗")
