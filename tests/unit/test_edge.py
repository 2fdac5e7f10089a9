"""Which requests the edge turns into WebSockets, and with which query."""

import json
from pathlib import Path

import pytest

from local import edge

VECTORS = json.loads((Path(__file__).parent / "edge_vectors.json").read_text())


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["path"] + vector["query"])
def test_the_edge_rewrites_websocket_paths_only(vector: dict[str, str | None]) -> None:
    assert vector["path"] is not None
    assert vector["query"] is not None
    assert edge.websocket_query(vector["path"], vector["query"]) == vector["websocket_query"]
