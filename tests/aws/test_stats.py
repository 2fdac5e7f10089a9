"""Who is connected, and whether the service is well."""

import time

import pytest

from functions.stats.handler import handler
from harness.tokens import token_of
from tests.aws.conftest import HttpCall, connect
from vitrina import auth, aws, connections
from vitrina.channels import ClientType

pytestmark = pytest.mark.usefixtures("cloud")

call = HttpCall(handler)


def test_open_connections_are_counted_by_type() -> None:
    for n in range(3):
        connect(f"u{n}", ClientType.USER, account_id=n + 1)
    connect("s", ClientType.SHOP)
    connect("a", ClientType.ADMIN)
    answer = call("GET", "/ws/stats")
    assert answer.status == 200
    assert answer.body == {
        "total": 5,
        "by_type": {"user": 3, "shop": 1, "admin": 1},
        "rooms": 0,
    }


def test_counts_are_kept_for_two_seconds_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    identity = auth.verify(token_of(ClientType.USER))
    moment = time.time() // 2 * 2 + 10
    monkeypatch.setattr(time, "time", lambda: moment)
    connections.add("c1", identity)
    assert call("GET", "/ws/stats").body["total"] == 1
    connections.add("c2", identity)
    assert call("GET", "/ws/stats").body["total"] == 1
    monkeypatch.setattr(time, "time", lambda: moment + 2)
    assert call("GET", "/ws/stats").body["total"] == 2


def test_health_has_read_the_table_to_say_so() -> None:
    assert call("GET", "/health").body == {"status": "ok", "connections": 0}


def test_health_is_not_ok_without_the_table() -> None:
    aws.dynamodb().delete_table(TableName="connections")
    answer = call("GET", "/health")
    assert (answer.status, answer.body["code"]) == (500, "internal_error")
