"""The local page's server: reads, answers this machine's own browser, and does nothing else.

In: a project and a port. Out: HTTP on 127.0.0.1. It answers GET and HEAD alone; a name that another site points at
this machine (DNS rebinding) is found out by the Host header, another site's script by Origin. Called by
`wmframe dashboard`.
"""

import hashlib
import sys
import traceback
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit

from wmframe.dashboard.overview import Project
from wmframe.dashboard.routes import Answer, Routes

ADDRESS: Final = "127.0.0.1"
_NAMES: Final = frozenset({ADDRESS, "localhost"})
"""What this machine may be called. Any port: it may be forwarded, as by ssh -L."""

_HEADERS: Final = {
    "Cache-Control": "no-cache",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Server(ThreadingHTTPServer):
    """Serves one project on `port` of 127.0.0.1, 0 for any free one. Raises OSError where the port is taken."""

    daemon_threads = True

    def __init__(self, project: Project, port: int) -> None:
        self.routes = Routes(project)
        super().__init__((ADDRESS, port), _Handler)

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{ADDRESS}:{self.server_address[1]}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a browser that went away, and everything of a bug."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            traceback.print_exc()


class _Handler(BaseHTTPRequestHandler):
    """One connection. Whatever is asked is answered with the same headers."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "wmframe", ""
    timeout = 60

    def do_GET(self) -> None:
        """Answer with headers and content."""
        self._answer()

    def do_HEAD(self) -> None:
        """Answer with the headers alone."""
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the terminal quiet: a page that polls would fill it."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse, in plain text and under our own headers; also what the library itself refuses."""
        refused = code == HTTPStatus.NOT_IMPLEMENTED
        status = HTTPStatus.METHOD_NOT_ALLOWED if refused else HTTPStatus(code)
        self.close_connection = True  # what follows on it, a body perhaps, was not read
        self._send(status, Answer(f"{status.phrase}\n".encode(), "text/plain; charset=utf-8"))

    def _answer(self) -> None:
        if not self._is_ours():
            return self.send_error(HTTPStatus.FORBIDDEN)
        try:
            answer = self.server.routes.answer(self.path)
        except Exception:
            traceback.print_exc()
            return self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR)
        if answer is None:
            return self.send_error(HTTPStatus.NOT_FOUND)
        tag = f'"{hashlib.sha256(answer.body).hexdigest()[:32]}"'
        if self.headers.get("If-None-Match") == tag:
            return self._send(HTTPStatus.NOT_MODIFIED, Answer(b"", answer.kind, answer.policy), tag)
        return self._send(HTTPStatus.OK, answer, tag)

    def _is_ours(self) -> bool:
        """Tell whether the browser asks for this machine by its own name, and for a page of ours."""
        hosts, origins = self.headers.get_all("Host", []), self.headers.get_all("Origin", [])
        try:
            named = len(hosts) == 1 and urlsplit(f"//{hosts[0]}").hostname in _NAMES
        except ValueError:
            return False
        return named and all(origin == f"http://{hosts[0]}" for origin in origins)

    def _send(self, status: HTTPStatus, answer: Answer, tag: str = "") -> None:
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Security-Policy", answer.policy)
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        if tag:
            self.send_header("ETag", tag)
        if status != HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Type", answer.kind)
            self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD" and status != HTTPStatus.NOT_MODIFIED:
            self.wfile.write(answer.body)
