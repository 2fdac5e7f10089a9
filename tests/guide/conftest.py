"""A server to play with, and apps on the client package."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from harness.bundles import bundle
from tests.guide.app import App
from tests.guide.fake_server import FakeServer

# Short, so that nothing has to be waited for.
TIMES = {"firstRetryMs": 10, "maxRetryMs": 20, "saveDelayMs": 1, "backgroundGraceMs": 0}


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the program that apps are."""
    source = Path(__file__).with_name("driver.mjs")
    return bundle(source, tmp_path_factory.mktemp("driver"), "node")


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer.running() as server:
        yield server


StartApp = Callable[..., App]


@pytest.fixture
def start_app(driver: Path, server: FakeServer, tmp_path: Path) -> Iterator[StartApp]:
    """Return a way to start an app; all share a storage, and are killed at the end of the test."""
    with ExitStack() as apps:

        def start_app(times: dict[str, float] | None = None, **more: Any) -> App:
            configuration = {
                "url": server.url,
                "tokens": ["T1"],
                "storage": str(tmp_path / "storage"),
                "times": TIMES | (times or {}),
            }
            app = App(driver, **configuration | more)
            apps.callback(app.kill)
            app.call("start")
            return app

        yield start_app
