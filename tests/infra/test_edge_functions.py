"""The functions that CloudFront runs on requests, in Node, beside what local/edge.py does."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from infra.cdk import behaviors
from infra.cdk.websocket_api import STAGE
from local.edge import websocket_query
from tests.unit.test_edge import VECTORS
from vitrina import http_api
from vitrina.door import VIEWER_HEADER
from vitrina.origins import EDGE_HOST_HEADER

DRIVER = Path(__file__).with_name("cloudfront.mjs")
NODE = Path(sys.executable).with_name("node")
WEBSOCKET = behaviors.HERE / "edge_websocket.js"
LISTS = behaviors.HERE / "edge_lists.js"
VIEWER = behaviors.HERE / "edge_viewer.js"
ADDRESS = "192.0.2.1"

Event = dict[str, Any]

each = pytest.mark.parametrize("function", [WEBSOCKET, LISTS, VIEWER], ids=lambda path: path.stem)


def event(path: str, query: str, method: str = "GET", **headers: str) -> Event:
    """Return what CloudFront calls a function with: the query undecoded, headers in lower case."""
    given: dict[str, list[str]] = {}
    for part in filter(None, query.split("&")):
        name, _, value = part.partition("=")
        given.setdefault(name, []).append(value)
    return {
        "version": "1.0",
        "context": {"eventType": "viewer-request"},
        "viewer": {"ip": ADDRESS},
        "request": {
            "method": method,
            "uri": path,
            "querystring": {
                name: {"value": values[-1]}
                | ({"multiValue": [{"value": v} for v in values]} if len(values) > 1 else {})
                for name, values in given.items()
            },
            "headers": {
                name.replace("_", "-"): {"value": value}
                for name, value in ({"host": "api.example.com"} | headers).items()
            },
            "cookies": {},
        },
    }


def run(function: Path, *events: Event) -> list[Event]:
    ran = subprocess.run(
        [NODE, DRIVER, function],
        input=json.dumps(events),
        capture_output=True,
        text=True,
        check=True,
    )
    answers: list[Event] = json.loads(ran.stdout)
    return answers


def sent_query(request: Event) -> str:
    """Return the query that CloudFront makes of what a function returned."""
    return "&".join(
        f"{name}={value['value']}"
        for name, given in request["querystring"].items()
        for value in given.get("multiValue", [given])
    )


def is_for_the_websocket_function(path: str) -> bool:
    return path.startswith("/ws/") and path != "/ws/stats"


def test_a_request_goes_where_the_local_edge_sends_it_with_the_same_query() -> None:
    vectors = [vector for vector in VECTORS if is_for_the_websocket_function(vector["path"])]
    answers = run(WEBSOCKET, *(event(vector["path"], vector["query"]) for vector in vectors))
    assert len(answers) > 20
    for vector, answer in zip(vectors, answers, strict=True):
        local = websocket_query(vector["path"], vector["query"])
        if local is None:
            assert answer["statusCode"] == 404, vector
        else:
            assert answer["uri"] == f"/{STAGE}"
            sent = parse_qs(sent_query(answer), keep_blank_values=True)
            assert sent == parse_qs(local, keep_blank_values=True), vector
            assert sent["client_type"] == [vector["path"].split("/")[2]]


def test_what_is_not_rewritten_stays_as_it_was_sent() -> None:
    query = "token=a%2Bb%20c+d%FF"
    [answer] = run(WEBSOCKET, event("/ws/user", query))
    assert sent_query(answer) == f"{query}&client_type=user"


def test_the_websocket_api_gets_the_requested_host_whatever_the_client_sends() -> None:
    [answer] = run(
        WEBSOCKET,
        event("/ws/user", "", x_vitrina_host="evil.example", origin="https://evil.example"),
    )
    assert answer["headers"] == {
        "host": {"value": "api.example.com"},
        "origin": {"value": "https://evil.example"},
        EDGE_HOST_HEADER: {"value": "api.example.com"},
        VIEWER_HEADER: {"value": ADDRESS},
    }


def test_a_path_of_no_type_is_answered_as_the_http_api_answers_it() -> None:
    [answer] = run(WEBSOCKET, event("/ws/root", ""))
    expected = http_api.answer_unknown_route()
    assert answer["statusCode"] == expected.status_code
    assert json.loads(answer["body"]) == json.loads(str(expected.body))
    assert answer["headers"] == {
        "content-type": {"value": expected.content_type},
        "cache-control": {"value": "no-store"},
    }


def is_shared(query: str, method: str = "GET") -> bool:
    [answer] = run(LISTS, event("/api/v1/products", query, method, authorization="Bearer x"))
    return "authorization" not in answer["headers"]


@pytest.mark.parametrize("query", ["", "shop_id=10", "limit=5&status=approved&since=x"])
def test_phones_share_a_list_of_approved_products_whatever_their_tokens(query: str) -> None:
    assert is_shared(query)


@pytest.mark.parametrize(
    "query",
    ["status=pending", "status=rejected", "status=", "status=pending&status=approved"],
)
def test_any_other_list_is_its_readers_own(query: str) -> None:
    assert not is_shared(query)


def test_a_list_is_asked_for_with_head_like_with_get() -> None:
    assert is_shared("status=approved", "HEAD")
    assert not is_shared("status=pending", "HEAD")


@pytest.mark.parametrize("method", ["POST", "PUT", "OPTIONS"])
def test_a_product_is_submitted_with_a_token(method: str) -> None:
    assert not is_shared("", method)


def test_a_list_keeps_all_else_of_its_request() -> None:
    query = "limit=5&cursor=e30%3D&status=approved&shop_id=10&since=3f0c9a1e:58"
    asked = event("/api/v1/products", query, authorization="Bearer x", accept="*")
    [answer] = run(LISTS, asked)
    del asked["request"]["headers"]["authorization"]
    asked["request"]["headers"][VIEWER_HEADER] = {"value": ADDRESS}
    assert answer == asked["request"]


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("since=3f0c9a1e%3A58", "since=3f0c9a1e:58"),
        ("since=3f0c9a1e%3a58&limit=5", "limit=5&since=3f0c9a1e:58"),
        ("since=3f0c9a1e:58&since=3f0c9a1e:59", ""),
        ("since=3f0c9a1e:+58", ""),
        ("since=3f0c9a1e:5%38", ""),
        ("since=3f0c9a1e:1234567890123456", ""),
        ("since=3F0C9A1E:58", ""),
        ("since=x3f0c9a1e:58", ""),
        ("since=3f0c9a1e:58%0A", ""),
        ("since=", ""),
        ("cursor=&limit=5", "limit=5"),
        ("cursor=x", "cursor=x"),
        ("since", ""),
        ("s%69nce=3f0c9a1e:58", ""),
        ("%6Cimit=5&shop_id=10", "shop_id=10"),
    ],
)
def test_the_same_list_is_not_kept_by_every_spelling_of_its_request(query: str, kept: str) -> None:
    [answer] = run(LISTS, event("/api/v1/products", query))
    assert sent_query(answer) == kept


def test_unknown_parameters_are_left_for_the_origin_to_refuse() -> None:
    query = "x=1&X=2&status=approved&token=t"
    [answer] = run(LISTS, event("/api/v1/products", query))
    assert sent_query(answer) == query


@pytest.mark.parametrize("query", ["status=pending&x=1", "status=rejected&since=x"])
def test_a_list_that_is_not_kept_is_asked_for_as_it_was_sent(query: str) -> None:
    [answer] = run(LISTS, event("/api/v1/products", query))
    assert sent_query(answer) == query


@each
def test_the_origin_learns_the_address_of_the_client_whatever_the_client_says(
    function: Path,
) -> None:
    [answer] = run(function, event("/ws/user", "", x_vitrina_viewer="198.51.100.7"))
    assert answer["headers"][VIEWER_HEADER] == {"value": ADDRESS}


def test_the_function_of_all_other_paths_changes_nothing_else() -> None:
    asked = event("/health", "a=b", authorization="Bearer x")
    [answer] = run(VIEWER, asked)
    del answer["headers"][VIEWER_HEADER]
    assert answer == asked["request"]


@each
def test_a_function_is_within_cloudfronts_limits(function: Path) -> None:
    code = function.read_text()
    assert len(code.encode()) < 10 * 1024
    # Of what is newer than ES 5.1, runtime 2.0 has const, let, arrow functions and little else.
    newer = r"\?\.|\?\?|\.\.\.|\bclass\b|\bof\b.*\) \{|(const|let) [{\[]|\bimport\b|\brequire\b"
    lines = [line for line in code.splitlines() if not line.lstrip().startswith("//")]
    assert [line for line in lines if re.search(newer, line)] == []
