"""The page in a real browser: it says what it should, complains of nothing, asks nobody for anything.

Chromium is driven by its command line alone. Its own housekeeping (update checks and the like) also stands in
the net log and is told apart by its initiator; nothing leaves this machine, every name resolves to nowhere.
"""

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from tests.report.examples import HOSTILE, contents, hostile
from tests.report.reader import read
from tests.report.sweeps import make_sweep, scores
from wmframe.report.page import render, write
from wmframe.report.sweep import write_sweep

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH (apt-get install chromium)")

FLAGS = (
    "--headless",
    "--no-sandbox",  # it refuses to run as root with one, which is what a container is
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
ITS_OWN = "not an origin"


@dataclass(frozen=True)
class Visit:
    """What a visit left behind: the page as the browser understood it, its console, the page's requests."""

    dom: str
    console: list[str]
    requests: list[str]


def chromium(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    assert CHROMIUM is not None
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={folder / 'profile'}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


def visit(page: Path | str, folder: Path) -> Visit:
    """Open a file or an address."""
    log = folder / "net.json"
    done = chromium(
        folder,
        f"--log-net-log={log}",
        "--enable-logging=stderr",
        "--virtual-time-budget=3000",
        "--dump-dom",
        page if isinstance(page, str) else page.as_uri(),
    )
    record = json.loads(log.read_text(encoding="utf-8"))
    start = record["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"]
    asked = [
        event["params"] for event in record["events"] if event["type"] == start and "url" in event.get("params", {})
    ]
    return Visit(
        dom=done.stdout,
        console=[line for line in done.stderr.splitlines() if "CONSOLE" in line],
        requests=[each["url"] for each in asked if each.get("initiator") != ITS_OWN],
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("chromium")


def test_the_page_has_its_headings_no_error_and_no_request(folder: Path) -> None:
    seen = visit(write(contents(), folder / "report.html"), folder)
    headings = re.findall(r"<h[12][^>]*>([^<]*)</h[12]>", seen.dom)
    assert headings == [
        *("car_racing, quick", "Scoreboard", "Gallery", "Curves", "Stages", "Notes"),
        *("Configuration", "Provenance"),
    ]
    assert seen.console == []
    assert seen.requests == []


def test_hostile_contents_run_nothing(folder: Path) -> None:
    seen = visit(write(hostile(), folder / "hostile.html"), folder)
    reader = read(seen.dom)
    assert [tag for tag, _ in reader.tags if tag == "script"] == []
    assert [name for _, attributes in reader.tags for name in attributes if name.startswith("on")] == []
    assert "".join(reader.words).count(HOSTILE) >= 20
    assert seen.console == []
    assert seen.requests == []


def test_a_sweeps_page_has_its_headings_no_error_and_no_request(folder: Path) -> None:
    page = write_sweep(
        make_sweep(folder, ["world.temperature=0.5,1", "seed=1,2"], [scores(n, 2 * n) for n in range(4)])
    )
    seen = visit(page, folder)
    assert re.findall(r"<h[123][^>]*>([^<]*)</h[123]>", seen.dom) == [
        *("made", "Scores", "Figures", "Awake, by world.temperature", "Dream minus reality, by world.temperature"),
        *("Dream against reality, every training run", "Jobs"),
    ]
    assert seen.console == []
    assert seen.requests == []
    assert phone(page, folder) == "360 of 360"


def test_the_policy_stops_what_escaping_would_have_missed(folder: Path) -> None:
    """The control: without the policy the same checks do see a request and a script."""
    intruder = '<img src="http://intruder.invalid/x.png"><script>console.error("ran")</script></main>'
    guarded = render(contents()).replace("</main>", intruder)
    naked = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", guarded)
    page = folder / "intruder.html"
    page.write_text(naked, encoding="utf-8")
    seen = visit(page, folder)
    assert seen.requests == ["http://intruder.invalid/x.png"]
    assert any("ran" in line for line in seen.console)
    page.write_text(guarded, encoding="utf-8")
    seen = visit(page, folder)
    assert seen.requests == []
    assert len(seen.console) >= 2
    assert all("Content Security Policy" in line for line in seen.console)


def screenshot(page: Path, folder: Path, width: int, *flags: str) -> Image.Image:
    path = folder / "page.png"
    chromium(folder, *flags, f"--window-size={width},1200", f"--screenshot={path}", page.as_uri())
    with Image.open(path) as picture:
        return picture.convert("RGB")


def test_the_page_follows_the_readers_colours(folder: Path) -> None:
    page = write(contents(), folder / "report.html")
    light = screenshot(page, folder, 1000).getpixel((3, 3))
    dark = screenshot(page, folder, 1000, "--blink-settings=preferredColorScheme=0").getpixel((3, 3))
    assert light == (0xFC, 0xFC, 0xFA)
    assert dark == (0x14, 0x15, 0x18)


def test_nothing_sticks_out_of_a_phone(folder: Path) -> None:
    assert phone(write(contents(), folder / "report.html"), folder) == "360 of 360"


def phone(shown: Path, folder: Path) -> str:
    """Return how wide a page is in a frame of 360 pixels, a phone's: no headless window is so narrow."""
    probe = (
        f'<iframe src="{shown.as_uri()}" style="width:360px;height:800px;border:0"></iframe>'
        "<script>onload = () => {"
        "const root = frames[0].document.documentElement;"
        "document.body.dataset.width = `${root.scrollWidth} of ${root.clientWidth}`; }</script>"
    )
    page = folder / "phone.html"
    page.write_text(probe, encoding="utf-8")
    arguments = ("--allow-file-access-from-files", "--virtual-time-budget=3000", "--dump-dom", page.as_uri())
    found = re.search('data-width="([^"]*)"', chromium(folder, *arguments).stdout)
    return found[1] if found is not None else "nothing"
