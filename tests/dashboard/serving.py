"""The real server on a free port, and raw requests to it."""

import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wmframe.dashboard.overview import Project
from wmframe.dashboard.server import Server


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@contextmanager
def serving(root: Path, *, script: str = "") -> Iterator[Server]:
    """Serve a project while the block runs; `script` plays the reader, once the page has had time to draw."""
    with Server(Project(root), 0) as server:
        server.routes.site["app.js"] += f"\nsetTimeout(() => {{ {script} }}, 1500);\n".encode()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def ask(server: Server, target: str, *, method: str = "GET", **headers: str) -> Reply:
    """Send one request; header names with `_` for `-`, `Host` as the server's own unless given."""
    port = server.server_address[1]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in ({"Host": f"127.0.0.1:{port}"} | headers).items():
            if value:
                connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        answer = connection.getresponse()
        return Reply(answer.status, dict(answer.getheaders()), answer.read())
    finally:
        connection.close()
