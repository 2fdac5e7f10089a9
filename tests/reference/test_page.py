"""The reference at /docs, as a browser shows it under its policy."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from functions.openapi.handler import handler
from harness import browser, deployment, gateway_events
from reference import openapi
from tests.reference.test_descriptions import BIN, HERE


class _Edge(BaseHTTPRequestHandler):
    """Answers with the function of the pages."""

    def do_GET(self) -> None:
        answer = handler(gateway_events.http("GET", self.path), gateway_events.CONTEXT)
        self.send_response(answer["statusCode"])
        for name, text in answer["headers"].items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(answer["body"].encode())

    def log_message(self, *_of: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Edge) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_a_browser_shows_every_operation_and_asks_no_other_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if reason := browser.why_not():
        pytest.skip(reason)
    deployment.configure(monkeypatch)
    with serving() as url:
        ran = subprocess.run(
            [BIN / "node", HERE / "browse.mjs", f"{url}/docs"],
            capture_output=True,
            text=True,
            check=True,
        )
    seen = json.loads(ran.stdout)
    assert seen["operations"] == len([*openapi.operations(openapi.document())])
    assert seen["complaints"] == []
    assert not seen["ranInline"]
    own = {address.removeprefix(url) for address in seen["requested"] if address.startswith(url)}
    others = {address for address in seen["requested"] if not address.startswith(url)}
    assert own >= {"/docs", "/docs/swagger-ui.js", "/docs/docs.js", "/openapi.json"}
    assert {address.partition(":")[0] for address in others} <= {"data"}
