"""Origins are compared as the Fetch standard says: scheme, host and port, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrina import origins

OWN = {"host": "api.your.shop"}
EDGE = {"host": "x.execute-api.eu-central-1.amazonaws.com", origins.EDGE_HOST_HEADER: "your.shop"}


@pytest.mark.parametrize(
    ("text", "normalized"),
    [
        ("https://your.shop", "https://your.shop"),
        ("https://your.shop:443", "https://your.shop"),
        ("https://your.shop:0443", "https://your.shop"),
        ("https://your.shop:", "https://your.shop"),
        ("https://your.shop/", "https://your.shop"),
        ("https://your.shop:443/", "https://your.shop"),
        ("https://Your.Shop", "https://your.shop"),
        ("HTTPS://YOUR.SHOP", "https://your.shop"),
        ("wss://your.shop", "https://your.shop"),
        ("wss://your.shop:443", "https://your.shop"),
        ("ws://localhost:8000", "http://localhost:8000"),
        ("http://your.shop:80", "http://your.shop"),
        ("http://your.shop:443", "http://your.shop:443"),
        ("https://your.shop:80", "https://your.shop:80"),
        ("https://your.shop:8443", "https://your.shop:8443"),
        ("https://[::1]:443", "https://[::1]"),
        ("https://192.0.2.1:8000", "https://192.0.2.1:8000"),
        ("https://xn--80adsbjp.xn--p1ai", "https://xn--80adsbjp.xn--p1ai"),
        ("capacitor://localhost", "capacitor://localhost"),
        ("ionic://localhost", "ionic://localhost"),
        ("capacitor://localhost:443", "capacitor://localhost:443"),
        ("moz-extension://d653180d-24ac", "moz-extension://d653180d-24ac"),
        # The final dot is part of the name.
        ("https://your.shop.", "https://your.shop."),
    ],
)
def test_an_origin_is_scheme_host_and_port_without_the_default_port(
    text: str, normalized: str
) -> None:
    assert origins.normalize(text) == normalized


@pytest.mark.parametrize(
    "text",
    [
        *("", "null", "*", "https", "https:", "https://", "//your.shop", "your.shop", "file://"),
        *("https:your.shop", "https:/your.shop", "https:///your.shop", "https://:443"),
        *("https://your.shop/x", "https://your.shop//", "https://your.shop?", "https://your.shop#"),
        *("https://me@your.shop", "https://your.shop@evil.example", "https://your.shop\\@x"),
        *("https://your.shop:port", "https://your.shop:65536", "https://your.shop:-1"),
        *(" https://your.shop", "https://your.shop ", "https://your.shop\n", "https://your .shop"),
        *("https://your.shop, https://evil.example", "https://your.shop,evil.example"),
        *("https://*.your.shop", "https://витрина.рф", "https://your.shop\0", "1https://your.shop"),
        *("blob:https://your.shop", "javascript://%0aalert(1)", "https://\u212a.example"),
    ],
)
def test_what_is_no_origin_equals_nothing(text: str) -> None:
    assert origins.normalize(text) is None
    assert not origins.is_own(text, OWN)
    assert not origins.is_allowed(text, [text, "https://your.shop"])


@given(st.text())
def test_any_text_is_normalized_once_or_refused(text: str) -> None:
    normalized = origins.normalize(text)
    assert normalized is None or origins.normalize(normalized) == normalized


@pytest.mark.parametrize("origin", ["https://{}:443", "https://{}/", "wss://{}", "https://{}"])
@pytest.mark.parametrize(("headers", "host"), [(OWN, "Api.your.shop"), (EDGE, "YOUR.shop")])
def test_the_requested_host_is_its_own_origin_here_and_at_the_edge(
    origin: str, headers: dict[str, str], host: str
) -> None:
    assert origins.is_own(origin.format(host), headers)
    assert origins.is_own(origin.format(host), {name: f"{text}" for name, text in headers.items()})


@pytest.mark.parametrize(
    "origin",
    [
        *("http://api.your.shop", "http://api.your.shop:443", "https://api.your.shop:444"),
        *("https://your.shop", "https://evil.api.your.shop", "https://api.your.shop.evil.example"),
        *("capacitor://api.your.shop", "https://api.your.shop.", "https://api.your.shop@evil"),
    ],
)
def test_another_scheme_host_or_port_is_another_origin(origin: str) -> None:
    assert not origins.is_own(origin, OWN)


def test_on_this_machine_the_own_origin_is_http_with_its_port() -> None:
    local = {"host": "localhost:8000", "x-forwarded-proto": "http"}
    assert origins.is_own("http://localhost:8000", local)
    assert origins.is_own("ws://LOCALHOST:8000/", local)
    assert not origins.is_own("https://localhost:8000", local)
    assert not origins.is_own("http://localhost", local)
