"""What every layer shares: configuration, Hypothesis, and no way to reach AWS by accident."""

import gc

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

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


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests together, in one process, that share an expensive fixture."""
    for item in items:
        layer = item.path.parent.name
        if layer in {"emulator", "infra", "package"}:
            item.add_marker(pytest.mark.xdist_group(layer))


@pytest.fixture(scope="session", autouse=True)
def _no_credentials() -> None:
    environment.replace(environment.isolated())


@pytest.fixture(scope="session", autouse=True)
def _collect_garbage_often() -> None:
    """`functions` collects it rarely, for faster cold starts; here it shows unclosed resources."""
    gc.set_threshold(700, 10, 10)


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> Config:
    """Return the configuration of this process; the signing key needs no Secrets Manager."""
    monkeypatch.setattr(keys, "signing", lambda: Secret("key-1", KEY, created_at=0))
    return deployment.configure(monkeypatch)
