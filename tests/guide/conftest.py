"""The guide's module, taken out of the page, a server to play with, and apps that use it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.guide import pages
from tests.guide.app import App
from tests.guide.fake_server import FakeServer

# Short, so that nothing has to be waited for.
TIMES = {"firstDelayMs": 10, "longestDelayMs": 20, "saveDelayMs": 1}


@pytest.fixture(scope="session")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the module as a file, pasted from the guide."""
    # Node takes .mjs for a module; an app's bundler takes .js as well.
    path = tmp_path_factory.mktemp("guide") / "notifications.mjs"
    path.write_text(pages.block(pages.GUIDE, "file", "notifications.js"))
    return path


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer.running() as server:
        yield server


StartApp = Callable[..., App]


@pytest.fixture
def start_app(module: Path, server: FakeServer, tmp_path: Path) -> Iterator[StartApp]:
    """Return a way to start an app; all share a storage, and are killed at the end of the test."""
    with ExitStack() as apps:

        def start_app(times: dict[str, float] | None = None, **more: Any) -> App:
            configuration = {
                "url": server.url,
                "tokens": ["T1"],
                "storage": str(tmp_path / "storage"),
                "times": TIMES | (times or {}),
            }
            app = App(module, **configuration | more)
            apps.callback(app.kill)
            app.call("start")
            return app

        yield start_app
