"""Reading API Gateway's WebSocket events."""

from typing import Any

import pytest
from pydantic import ValidationError

from vitrina import websocket_api
from vitrina.errors import Forbidden


def connect_event(
    query: dict[str, str] | None = None, headers: dict[str, str] | None = None
) -> dict[str, Any]:
    return {
        "requestContext": {
            "eventType": "CONNECT",
            "connectionId": "L0SM9cOFvHcCIhw=",
            "routeKey": "$connect",
        },
        "queryStringParameters": query,
        "headers": headers or {},
    }


@pytest.mark.parametrize(
    ("query", "headers", "token"),
    [
        ({"token": "t.o.k"}, {}, "t.o.k"),
        (None, {"Authorization": "Bearer t.o.k"}, "t.o.k"),
        (None, {"authorization": "bearer  t.o.k "}, "t.o.k"),
        (None, {"Sec-WebSocket-Protocol": "bearer, t.o.k"}, "t.o.k"),
        (None, {"sec-websocket-protocol": "bearer,t.o.k"}, "t.o.k"),
        ({"token": "first"}, {"Authorization": "Bearer second"}, "first"),
        (None, {"Authorization": "Basic dXNlcg=="}, None),
        (None, {"Sec-WebSocket-Protocol": "chat, t.o.k"}, None),
        (None, {"Sec-WebSocket-Protocol": "bearer"}, None),
        ({"token": ""}, {}, None),
        (None, {}, None),
    ],
)
def test_a_token_rides_in_three_ways(
    query: dict[str, str] | None, headers: dict[str, str], token: str | None
) -> None:
    assert websocket_api.handshake(connect_event(query, headers)).token == token


def test_an_offered_subprotocol_is_repeated_and_the_token_in_it_is_not() -> None:
    request = websocket_api.handshake(
        connect_event(headers={"Sec-WebSocket-Protocol": "bearer, t.o.k"})
    )
    assert websocket_api.accept(request)["headers"] == {"Sec-WebSocket-Protocol": "bearer"}


def test_without_an_offer_no_subprotocol_is_chosen() -> None:
    request = websocket_api.handshake(connect_event({"token": "t.o.k"}))
    assert websocket_api.accept(request) == {"statusCode": 200, "headers": {}}


def test_a_refusal_says_its_status_and_nothing_else() -> None:
    assert websocket_api.refuse(Forbidden("x", "y")) == {"statusCode": 403}


def test_the_types_hint_is_read_from_the_query() -> None:
    assert websocket_api.handshake(connect_event({"client_type": "shop"})).client_type == "shop"


@pytest.mark.parametrize(
    ("query", "takes_batches"),
    [
        ({"batch": "1"}, True),
        ({"batch": "1", "token": "t.o.k"}, True),
        *(({"batch": other}, False) for other in ("", "0", "01", "2", "true", " 1", "1,1")),
        ({"Batch": "1"}, False),
        ({}, False),
        (None, False),
    ],
)
def test_a_client_takes_batches_only_if_it_says_so(
    query: dict[str, str] | None, takes_batches: bool
) -> None:
    assert websocket_api.handshake(connect_event(query)).takes_batches is takes_batches


def test_a_frame_is_answered_with_a_frame_as_it_is() -> None:
    frame = '{"event":"batch","events":[{"event":"x", "data":"Платье"}]}'
    assert websocket_api.reply_with(frame.encode()) == {"statusCode": 200, "body": frame}


def test_a_strange_connection_id_is_refused() -> None:
    event = connect_event()
    event["requestContext"]["connectionId"] = "a#b"
    with pytest.raises(ValidationError):
        websocket_api.handshake(event)
