"""Push on the deployed stack: roles are enforced, and a double records what SNS would deliver."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import boto3
import pytest

from local.client import Api
from local.emulator import PASSWORD
from tests.emulator.conftest import wait_until
from tests.emulator.grants import function_name
from vitrina import config

PUBLISHED = (
    b"<PublishResponse><PublishResult><MessageId>id</MessageId></PublishResult></PublishResponse>"
)
DEVICE = {
    "platform": "fcm",
    "token": "a" * 40,
    "locale": "ru-RU",
    "timezone": "Europe/Moscow",
    "app_version": "1.0",
}


@contextmanager
def recording() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Answer Publish of SNS; yields the address, and the requests that have come."""
    received: list[dict[str, str]] = []

    class Double(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            received.append({name: values[0] for name, values in parse_qs(body).items()})
            self.send_response(200)
            self.send_header("Content-Type", "text/xml")
            self.end_headers()
            self.wfile.write(PUBLISHED)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Double)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def sent() -> Iterator[list[dict[str, str]]]:
    """Have the function `push` publish to a double."""
    client = boto3.client("lambda")
    name = function_name("push")
    before = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    with recording() as (url, received):
        changed = before | {"AWS_ENDPOINT_URL_SNS": url}
        client.update_function_configuration(FunctionName=name, Environment={"Variables": changed})
        yield received
        client.update_function_configuration(FunctionName=name, Environment={"Variables": before})


def test_a_phone_without_a_connection_is_notified_and_a_logout_forgets_it(
    api: Api, tokens: dict[str, str], submit: Callable[[], int], sent: list[dict[str, str]]
) -> None:
    shop = api.login("shop@example.com", PASSWORD)
    path = "/api/v1/me/devices/phone"
    assert api.answer("PUT", path, shop, json=DEVICE).status_code == 204
    [endpoint] = endpoints()
    notes = {"moderation_notes": "Secret notes"}
    path = f"/api/v1/admin/products/{submit()}/reject"
    event = api.call("POST", path, tokens["admin"], json=notes)["broadcast"]["event_ids"][0]
    # Events of the tests before may still be on their way to a phone of the shop.
    wait_until(lambda: len(pushes_of(event, sent)), 1)
    [request] = pushes_of(event, sent)
    assert request["TargetArn"] == endpoint
    message: Any = json.loads(json.loads(request["Message"])["GCM"])["fcmV1Message"]["message"]
    assert message["notification"]["title"] == "Товар отклонён"
    assert "Secret" not in request["Message"]
    # A topic takes an announcement to everyone, once.
    news = {"to": "shop", "title": "Новости", "text": "Текст"}
    announced = api.call("POST", "/api/v1/admin/announcements", tokens["admin"], json=news)
    [event] = announced["event_ids"]
    wait_until(lambda: len(pushes_of(event, sent)), 1)
    [request] = pushes_of(event, sent)
    assert request["TopicArn"].endswith("-push-shop")
    assert api.answer("POST", "/api/v1/auth/logout", shop).status_code == 204
    assert endpoints() == []


def pushes_of(event: str, sent: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return the requests whose message has an event's id."""
    return [request for request in sent if event in request["Message"]]


def endpoints() -> list[str]:
    table = config.current().devices_table
    rows = boto3.client("dynamodb").scan(TableName=table)["Items"]
    return [row["endpoint"]["S"] for row in rows if "endpoint" in row]
