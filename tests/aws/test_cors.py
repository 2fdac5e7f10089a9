"""CORS: preflights and responses, as the functions answer them."""

import json
from typing import Any

import pytest

from functions.openapi.handler import OPENAPI, handler
from harness import deployment, gateway_events
from harness.gateway_events import CONTEXT
from vitrina import origins

CONSOLE, WEB_VIEW = "https://console.example.com", "capacitor://localhost"
ROUTES = [
    (path, method.upper())
    for path, methods in json.loads(OPENAPI)["paths"].items()
    for method in methods
]
NAMES = "access-control-"


@pytest.fixture(autouse=True)
def _allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    deployment.configure(monkeypatch, allowed_origins=(CONSOLE, WEB_VIEW))


def ask(method: str, path: str, **headers: str) -> tuple[int, Any, dict[str, str]]:
    """Return status, body and CORS headers; underscores in names of headers become hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = handler(gateway_events.http(method, path, headers=named), CONTEXT)
    found = {k: v for k, v in answer["headers"].items() if k.lower().startswith(NAMES)}
    return int(answer["statusCode"]), answer.get("body"), found


@pytest.mark.parametrize("origin", [CONSOLE, WEB_VIEW])
@pytest.mark.parametrize(("path", "method"), [*ROUTES, ("/nowhere", "POST")])
def test_a_preflight_of_an_allowed_page_is_answered_with_204(
    path: str, method: str, origin: str
) -> None:
    status, body, granted = ask(
        "OPTIONS", path, origin=origin, access_control_request_method=method
    )
    assert (status, body) == (204, "")
    assert granted["Access-Control-Allow-Origin"] == origin
    assert method in granted["Access-Control-Allow-Methods"].split(", ")
    names = granted["Access-Control-Allow-Headers"].split(", ")
    assert names == [
        "authorization",
        "content-type",
        "if-match",
        "if-none-match",
        "idempotency-key",
    ]


@pytest.mark.parametrize(
    "origin",
    [
        *("https://evil.example", "http://console.example.com", "https://console.example.com:444"),
        *("https://console.example.com.evil.example", "https://xconsole.example.com", "null", "*"),
        *("http://localhost", "ionic://localhost", "capacitor://localhost.evil.example", ""),
        *("https://console.example.com/x", "https://console.example.com@evil.example"),
    ],
)
def test_a_foreign_page_gets_no_cors_header(origin: str) -> None:
    assert ask("OPTIONS", "/health", origin=origin, access_control_request_method="GET") == (
        204,
        "",
        {},
    )
    assert ask("GET", "/openapi.json", origin=origin)[2] == {}


@pytest.mark.parametrize(
    "origin",
    [
        *(CONSOLE, f"{CONSOLE}:443", f"{CONSOLE}/", "https://Console.Example.COM", WEB_VIEW),
        *(
            "HTTPS://console.example.com",
            "https://console.example.com:0443",
            "Capacitor://localhost",
        ),
    ],
)
def test_the_response_repeats_an_allowed_origin_as_it_was_sent(origin: str) -> None:
    assert origins.is_allowed(origin, (CONSOLE, WEB_VIEW))
    status, _, granted = ask("GET", "/openapi.json", origin=origin)
    assert status == 200
    assert granted == {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": "etag, retry-after, idempotency-replayed",
    }


def test_a_refusal_can_be_read_by_an_allowed_page() -> None:
    status, _, granted = ask("PATCH", "/health", origin=CONSOLE)
    assert (status, granted["Access-Control-Allow-Origin"]) == (405, CONSOLE)
