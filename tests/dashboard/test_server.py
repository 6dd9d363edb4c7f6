"""The real server: whom it answers, what it refuses, and that nothing leads out of the runs."""

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.dashboard.project import HOSTILE, write_run
from tests.dashboard.serving import ask, serving
from wmframe.dashboard.server import Server

HIDDEN = "a secret of this machine"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    run = write_run(folder, memory_mixtures=5)
    (folder / "secret.html").write_text(HIDDEN)
    (run.folder / "report.html").write_text("<h1>the page</h1>")
    (run.folder / "film.webp").write_bytes(b"RIFF")
    (run.folder / "films").mkdir()
    (run.folder / "films" / "round_1.webp").write_bytes(b"RIFF")
    (run.folder / "films" / "report.html").write_text(HIDDEN)
    (run.folder / "films" / "stolen.webp").symlink_to(folder / "secret.html")
    (run.folder / "secret.txt").write_text(HIDDEN)
    (run.folder / "stolen.webp").symlink_to(folder / "secret.html")
    (folder / "runs" / "linked").symlink_to(run.folder)
    linked = write_run(folder, memory_mixtures=2)
    (linked.folder / "report.html").symlink_to(folder / "secret.html")
    outside = folder / "outside"
    outside.mkdir()
    (outside / "report.html").write_text(HIDDEN)
    return folder


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[Server]:
    with serving(root) as running:
        yield running


def name(root: Path, mixtures: int) -> str:
    [found] = [p.parent.name for p in root.glob("runs/2*/config.yaml") if f"mixtures: {mixtures}\n" in p.read_text()]
    return found


def test_it_listens_on_this_machine_alone(server: Server) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert server.url == f"http://127.0.0.1:{server.server_address[1]}/"


def test_it_serves_its_page_and_everything_that_the_page_asks_for(server: Server) -> None:
    page = ask(server, "/")
    assert page.status == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    for file, kind in (("app.js", "text/javascript"), ("style.css", "text/css"), ("icon.svg", "image/svg+xml")):
        assert file.encode() in page.body
        assert ask(server, f"/{file}").headers["Content-Type"].startswith(kind)


@pytest.mark.parametrize("target", ["/", "/app.js", "/api/runs", "/nothing", "/runs/x/report.html"])
def test_every_answer_forbids_the_browser_all_but_our_own(server: Server, target: str) -> None:
    headers = ask(server, target).headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
    assert "http" not in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7007", "127.0.0.1.evil.example", "", "[::1", "1.2.3.4"])
def test_a_name_that_is_not_this_machine_is_refused(server: Server, host: str) -> None:
    """DNS rebinding: another site's name may lead here, but the browser still says it."""
    for target in ("/", "/api/runs"):
        reply = ask(server, target, Host=host)
        assert reply.status == 403
        assert reply.body == b"Forbidden\n"


@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1:1", "LOCALHOST"])
def test_a_forwarded_port_is_answered(server: Server, host: str) -> None:
    assert ask(server, "/api/runs", Host=host).status == 200
    assert ask(server, "/api/runs", Host=host, Origin=f"http://{host}").status == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1:1"])
def test_another_sites_script_is_refused(server: Server, origin: str) -> None:
    assert ask(server, "/api/runs", Origin=origin).status == 403


def test_two_hosts_are_none(server: Server) -> None:
    port = server.server_address[1]
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
        assert connection.recv(64).startswith(b"HTTP/1.1 403")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE", "FROB"])
def test_it_only_reads(server: Server, method: str) -> None:
    reply = ask(server, "/api/runs", method=method)
    assert reply.status == 405
    assert reply.headers["Allow"] == "GET, HEAD"
    assert reply.headers["Connection"] == "close"


def test_head_is_get_without_the_body(server: Server) -> None:
    whole, head = ask(server, "/api/runs"), ask(server, "/api/runs", method="HEAD")
    assert head.status == 200
    assert head.body == b""
    assert head.headers["Content-Length"] == str(len(whole.body))


def test_nothing_is_sent_again_while_nothing_changed(server: Server) -> None:
    first = ask(server, "/api/runs")
    again = ask(server, "/api/runs", If_None_Match=first.headers["ETag"])
    assert (again.status, again.body) == (304, b"")
    assert ask(server, "/api/runs", If_None_Match='"another"').status == 200


def test_a_runs_page_is_served_under_its_own_policy(server: Server, root: Path) -> None:
    reply = ask(server, f"/runs/{name(root, 5)}/report.html")
    assert reply.body == b"<h1>the page</h1>"
    assert reply.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'; img-src data:")
    assert ask(server, f"/runs/{name(root, 5)}/film.webp").headers["Content-Type"] == "image/webp"
    assert ask(server, f"/runs/{name(root, 5)}/films/round_1.webp").headers["Content-Type"] == "image/webp"


def traversals(root: Path) -> list[str]:
    run, linked = name(root, 5), name(root, 2)
    up = "/".join([".."] * 12)
    return [
        *(f"/runs/{run}/{file}" for file in ("secret.txt", "run.json", "config.yaml", "stolen.webp", "", ".", "..")),
        *(f"/runs/{run}/{quote(path, safe='')}" for path in ("../../secret.html", f"{root}/secret.html", "x\0.webp")),
        *(f"/runs/{run}/films/{file}" for file in ("report.html", "stolen.webp", "", "..", "..%2Frun.json")),
        f"/runs/{run}/../../secret.html",
        f"/runs/{run}/%2e%2e/%2e%2e/secret.html",
        f"/runs/{linked}/report.html",
        "/runs/linked/report.html",
        "/runs/../outside/report.html",
        "/runs/..%2foutside/report.html",
        "/runs/%2e%2e/secret.html",
        f"/{up}/etc/passwd",
        f"/{quote(up + '/etc/passwd', safe='')}",
        "//etc/passwd",
        "/api/gallery/..%2foutside",
        "/api/curves/linked",
        "/api/nothing/" + run,
        "/site/index.html",
        "/../server.py",
        "/%00",
        f"/runs/{'x' * 5000}/report.html",
    ]


def test_no_path_leads_out_of_the_runs(server: Server, root: Path) -> None:
    for target in traversals(root):
        reply = ask(server, target)
        assert reply.status == 404, target
        assert HIDDEN.encode() not in reply.body


def test_a_hostile_name_is_found_by_its_name_and_never_as_markup(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    hostile = run.folder.with_name(HOSTILE.replace("/", "_"))
    run.folder.rename(hostile)
    (hostile / "report.html").write_text("ok")
    odd = tmp_path / "runs" / "caf\udce9"
    odd.mkdir()
    (odd / "run.json").write_text("{}")
    with serving(tmp_path) as server:
        names = [row["name"] for row in ask(server, "/api/runs").json()["runs"]]
        assert sorted(names) == sorted([hostile.name, "caf\ufffd"])
        assert ask(server, "/api/runs").headers["Content-Type"] == "application/json"
        assert ask(server, f"/runs/{quote(hostile.name)}/report.html").body == b"ok"
        assert ask(server, f"/api/curves/{quote(hostile.name)}").json()["columns"]


def test_nonsense_is_refused_under_our_headers(server: Server) -> None:
    for line in (b"GET\r\n\r\n", b"\x16\x03\x01\x02\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=20) as connection:
            connection.sendall(line)
            said = b"".join(iter(lambda: connection.recv(4096), b""))
        assert b"<" not in said.replace(b"GET", b"")


def test_reading_writes_nothing(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    (run.folder / "report.html").write_text("page")
    before = {path: path.lstat().st_mtime_ns for path in tmp_path.rglob("*")}
    with serving(tmp_path) as server:
        for target in ("/", "/api/runs", *(f"/api/{kind}/{run.name}" for kind in ("curves", "gallery", "lineage"))):
            assert ask(server, target).status == 200
    assert {path: path.lstat().st_mtime_ns for path in tmp_path.rglob("*")} == before
