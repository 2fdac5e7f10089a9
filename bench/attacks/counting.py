"""Anonymous requests for the numbers of connections, while 100,000 are stored."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.request import Request, urlopen

import boto3

from local.client import Api
from local.emulator import Cloud
from vitrina import aws, config, statistics
from vitrina.partitions import partitions_of

CONNECTIONS, AT_ONCE = 100_000, 100
PATHS = ("/ws/stats", "/health")
ROWS_PER_WRITE = 25


def measure(cloud: Cloud, url: str) -> dict[str, Any]:
    """Return what the function read for so many requests at once, by path; and how they ended.

    The first 100 come while the numbers are fresh, the second when they are due.
    """
    _store()
    api = Api(url)
    with _counted(cloud) as calls:
        began = time.monotonic()
        first = api.call("GET", PATHS[0])
        count_seconds = time.monotonic() - began
        found: dict[str, Any] = {}
        for path in PATHS:
            for when, prepare in {"fresh": _nothing, "due": _make_due}.items():
                prepare()
                calls.clear()
                began = time.monotonic()
                answers = _at_once(url, path)
                found[f"{path}, {when}"] = {
                    "answers": answers,
                    "seconds": time.monotonic() - began,
                    "calls": dict(calls),
                }
    return {"first": first, "count_seconds": count_seconds, "requests": found}


def _nothing() -> None:
    pass


def _make_due() -> None:
    """Let half of the interval be over, as if that much time had passed."""
    row = aws.to_item({"name": statistics.ROW})
    aws.dynamodb().update_item(
        TableName=config.current().platform_table,
        Key=row,
        UpdateExpression="SET counted_at = counted_at - interval_ms",
    )


def _at_once(url: str, path: str) -> Counter[str]:
    def ask(_number: int) -> str:
        api = Api(url)
        answer = api.answer("GET", path)
        api.close()
        return str(answer.status_code)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(pool.map(ask, range(AT_ONCE)))


def _store() -> None:
    """Store rows of users' connections, as connecting writes them; the count reads no others."""

    def write(first: int) -> None:
        puts: Any = []
        for number in range(first, first + ROWS_PER_WRITE):
            [place] = partitions_of(f"user:{number}")
            row = {"partition": place.key, "member": f"{place.prefix}c{number}"}
            times = {"connected_at": 1, "expires_at": 2**40}
            puts.append({"PutRequest": {"Item": aws.to_item(row | times)}})
        table = config.current().connections_table
        aws.dynamodb().batch_write_item(RequestItems={table: puts})

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, range(0, CONNECTIONS, ROWS_PER_WRITE)))


@contextmanager
def _counted(cloud: Cloud) -> Iterator[Counter[str]]:
    """Send what the function asks DynamoDB through a proxy that counts it by operation.

    A write of the numbers is a count that has ended.
    """
    calls, lock = Counter[str](), Lock()

    def note(target: str, body: bytes) -> None:
        operation = target.rpartition(".")[2]
        if operation == "UpdateItem" and "counted_at" in json.loads(body)["UpdateExpression"]:
            operation = "numbers written"
        with lock:
            calls[operation] += 1

    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(cloud.endpoint, note))
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    _use(f"http://127.0.0.1:{server.server_port}")
    try:
        yield calls
    finally:
        server.shutdown()
        server.server_close()


def _handler(endpoint: str, note: Callable[[str, bytes], None]) -> type[BaseHTTPRequestHandler]:
    class Forward(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            note(self.headers.get("X-Amz-Target", ""), body)
            request = Request(endpoint + self.path, body, dict(self.headers))  # noqa: S310
            with urlopen(request) as answer:  # noqa: S310
                text = answer.read()
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.headers["Content-Type"])
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            pass

    return Forward


def _use(endpoint: str) -> None:
    """Have the function of the statistics send its requests there."""
    functions = boto3.client("lambda")
    pages = functions.get_paginator("list_functions").paginate()
    [found] = [
        each
        for page in pages
        for each in page["Functions"]
        if each["Handler"] == "functions.stats.handler.handler"
    ]
    variables = found["Environment"]["Variables"] | {"AWS_ENDPOINT_URL": endpoint}
    functions.update_function_configuration(
        FunctionName=found["FunctionName"], Environment={"Variables": variables}
    )
