"""Which requests the edge turns into WebSockets, and with which query."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from local import edge

VECTORS = json.loads((Path(__file__).parent / "edge_vectors.json").read_text())


def parameters(query: str | None) -> dict[str, list[str]] | None:
    return None if query is None else parse_qs(query, keep_blank_values=True)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["path"] + vector["query"])
def test_the_edge_rewrites_websocket_paths_only(vector: dict[str, Any]) -> None:
    rewritten = edge.websocket_query(vector["path"], vector["query"])
    assert parameters(rewritten) == parameters(vector["websocket_query"])


def test_what_the_edge_does_not_rewrite_it_leaves_as_it_was_sent() -> None:
    sent = "token=a%2Bb%20c+d&x"
    assert edge.websocket_query("/ws/user", sent) == f"client_type=user&{sent}"
