"""What every layer shares: configuration, Hypothesis, and no way to reach AWS by accident."""

import gc
import os
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from xdist.scheduler import LoadScopeScheduling

from harness import deployment, environment
from harness.deployment import KEY
from vitrina import keys
from vitrina.config import Config
from vitrina.keys import Secret

# `make test` searches the same examples every time, `make test-nightly` others and more.
hypothesis_settings.register_profile(
    "suite",
    deadline=None,
    derandomize=True,
    suppress_health_check=[*HealthCheck],
)
hypothesis_settings.register_profile(
    "nightly",
    hypothesis_settings.get_profile("suite"),
    derandomize=False,
    max_examples=500,
    print_blob=True,
)
hypothesis_settings.load_profile("suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--without-grant",
        metavar="FUNCTION,ACTION,RESOURCE",
        help="take a grant away from the deployed stack, as approve,dynamodb:PutItem,Products:"
        " the suite must fail",
    )


# Tests that change a deployed stack, or need one that no other test uses at that moment, have a
# stack of their own. Three long files are with them, so that both stacks are needed equally long.
OWN_STACK = {
    "test_operations.py",
    "test_product.py",
    "test_redeploy.py",
    "test_sending_again.py",
    "test_verify.py",
    "test_who_is_out.py",
}


# Layers whose tests stay in one process, as they share an expensive fixture: the slowest first.
TOGETHER = ("emulator", "console", "infra", "package")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with these layers, so that the others run beside them and none ends alone."""
    items.sort(key=lambda item: [layer not in item.nodeid.split("/") for layer in TOGETHER])


class LayerScheduling(LoadScopeScheduling):  # type: ignore[misc] # xdist is untyped
    """Keeps the tests of some layers together, in the order of collection."""

    def schedule(self) -> None:
        self.config.option.loadscopereorder = False  # by the number of tests
        super().schedule()

    def _split_scope(self, nodeid: str) -> str:
        _, layer, module = nodeid.partition("::")[0].split("/")
        if layer == "emulator" and module in OWN_STACK:
            return "emulator, own stack"
        return layer if layer in TOGETHER else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LayerScheduling:
    return LayerScheduling(config, log)


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores: tests of a deployed stack mostly wait."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session", autouse=True)
def _no_credentials() -> None:
    environment.replace(environment.isolated())


@pytest.fixture(scope="session", autouse=True)
def _collect_garbage_often() -> None:
    """`functions` collects it rarely, for faster cold starts; here it shows unclosed resources.

    What has lived for long is looked at rarely, as it takes a quarter of a second with all layers.
    """
    gc.set_threshold(700, 10, 100)


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> Config:
    """Return the configuration of this process; the signing key needs no Secrets Manager."""
    monkeypatch.setattr(keys, "signing", lambda: Secret("key-1", KEY, created_at=0))
    return deployment.configure(monkeypatch)
