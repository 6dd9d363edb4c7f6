"""Pictures are taken out of pages as the report writes them, and out of those that anybody else might."""

from pathlib import Path

from tests.dashboard.project import HOSTILE
from tests.report.examples import contents
from wmframe.dashboard.gallery import Galleries
from wmframe.engine.runs.runs import FILM_FOLDER, NEWEST_FILM
from wmframe.report.page import write


def test_the_pages_own_pictures_stand_under_its_headings(tmp_path: Path) -> None:
    write(contents(), tmp_path / "report.html")
    groups = {group.title: group.pictures for group in Galleries().groups(tmp_path)}
    assert list(groups) == [
        "The agent, round by round",
        "The dream beside reality",
        "What V keeps",
        "What V invents",
        "What each latent says",
    ]
    assert all(driven.still.startswith("data:image/png;base64,") for driven in groups["The agent, round by round"])
    film, *tiles = groups["The dream beside reality"]
    assert film.source.startswith(("data:image/webp;base64,", "data:image/gif;base64,"))
    assert film.still.startswith("data:image/png;base64,")
    assert all(tile.still == "" and tile.alt.startswith("truth above dream") for tile in tiles)
    assert [len(groups[title]) for title in ("What V keeps", "What V invents")] == [4, 3]


def test_films_beside_the_page_are_named(tmp_path: Path) -> None:
    for name in ("reality-0.webp", "dream-0.gif", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "linked.webp").symlink_to(tmp_path / "notes.txt")
    [group] = Galleries().groups(tmp_path)
    assert (group.title, [picture.source for picture in group.pictures]) == (
        "Films",
        ["dream-0.gif", "reality-0.webp"],
    )


def test_the_rounds_films_are_there_until_the_page_has_them(tmp_path: Path) -> None:
    (tmp_path / FILM_FOLDER).mkdir()
    for name in ("agent.webp", "round_10.webp", "round_9.webp", "notes.txt"):
        (tmp_path / FILM_FOLDER / name).write_bytes(b"x")
    (tmp_path / f"{NEWEST_FILM}.webp").write_bytes(b"x")
    galleries = Galleries()
    [group] = galleries.groups(tmp_path)
    sources = [picture.source for picture in group.pictures]
    assert sources == ["films/round_9.webp", "films/round_10.webp", "films/agent.webp"]
    write(contents(), tmp_path / "report.html")
    assert "Films" not in [group.title for group in galleries.groups(tmp_path)]


def test_a_page_written_again_is_read_again(tmp_path: Path) -> None:
    galleries = Galleries()
    assert galleries.groups(tmp_path) == []
    write(contents(), tmp_path / "report.html")
    assert galleries.groups(tmp_path) == galleries.groups(tmp_path) != []


def test_only_pictures_that_the_page_carries_itself_are_taken(tmp_path: Path) -> None:
    bad = ("http://evil.example/x.png", "javascript:alert(1)", "data:text/html;base64,AAAA", "data:image/svg+xml,<svg>")
    pictures = "".join(f'<img src="{source}"><source srcset="{source}">' for source in bad)
    elsewhere, here = (f'<img src="data:image/png;base64,{data}" alt="a">' for data in ("BBBB", "AAAA"))
    gallery = f'<section aria-labelledby="gallery"><h3>{HOSTILE}</h3>{pictures}{here}</section>'
    (tmp_path / "report.html").write_text(elsewhere + gallery)
    [group] = Galleries().groups(tmp_path)
    assert [picture.source for picture in group.pictures] == ["data:image/png;base64,AAAA"]
    assert group.pictures[0].still == ""


def test_a_page_that_is_none_has_no_pictures(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_bytes(b"\xff\xfe<section <<<h3>" * 100)
    assert Galleries().groups(tmp_path) == []
