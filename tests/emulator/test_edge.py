"""The local edge is as strict as the cloud, where the local cloud alone is not."""

import gzip
import json
from typing import Any

import pytest
from websockets.typing import Subprotocol

from local import edge
from local.client import Api, Client
from local.emulator import Cloud
from tests.emulator.conftest import Connect, wait_until
from vitrina.door import SECRET_HEADER


@pytest.mark.parametrize("offered", [["chat"], ["chat", "bearer"], ["Bearer"]], ids=str)
def test_no_subprotocol_but_bearer_is_echoed(
    api: Api, tokens: dict[str, str], offered: list[Subprotocol]
) -> None:
    url = api.websocket_url("user", tokens["user"])
    with Client.connected(url, subprotocols=offered) as client:
        assert client.socket.subprotocol is None


@pytest.mark.parametrize("coding", ["gzip", "br"])
def test_a_compressed_body_goes_on_as_it_came_and_is_refused(
    cloud: Cloud, api: Api, coding: str
) -> None:
    body = json.dumps({"email": "user@example.com", "password": "password"}).encode()
    headers = {"Content-Type": "application/json", "Content-Encoding": coding}

    def refusal(api: Api, **more: str) -> Any:
        sent: Any = {"data": gzip.compress(body), "headers": headers | more}
        answer = api.answer("POST", "/api/v1/auth/login", **sent)
        return answer.status_code, answer.json()["code"]

    direct = Api(cloud.http_url)
    passport = {SECRET_HEADER: edge.secret_value(cloud.outputs)}
    assert refusal(api) == refusal(direct, **passport) == (400, "body_not_json")
    direct.close()


@pytest.mark.parametrize(
    "text",
    ['{"type":"ping","unknown":{}}', '{"type":"ping","timestamp":5}', ' {"a":1,"type":"ping"} '],
)
def test_a_ping_with_any_other_fields_is_answered(connect: Connect, text: str) -> None:
    client = connect("user")
    client.socket.send(text)
    [pong] = client.wait_for("pong")
    assert pong.text == '{"event":"pong"}'


@pytest.mark.parametrize("text", ['["ping"]', '{"type":["ping"]}', '"ping"', "ping"])
def test_what_is_no_ping_is_refused(connect: Connect, text: str) -> None:
    client = connect("user")
    client.socket.send(text)
    [refusal] = client.wait_for("error")
    assert refusal.event["data"]["code"].startswith("message_")


def test_who_closes_behind_unanswered_pings_is_gone(api: Api, connect: Connect) -> None:
    def total() -> Any:
        return api.call("GET", "/ws/stats")["total"]

    wait_until(total, 0)
    clients = [connect("user") for _ in range(3)]
    wait_until(total, 3)
    for client in clients:
        for _ in range(25):
            client.send({"type": "ping"})
        client.close()
    wait_until(total, 0)


def test_the_edge_listens_where_it_is_told(cloud: Cloud) -> None:
    with edge.running(cloud.outputs, host="127.0.0.2") as url:
        assert url.startswith("http://127.0.0.2:")
        api = Api(url)
        assert api.call("GET", "/health")["status"] == "ok"
        api.close()
