"""What every layer shares: settings, and no way to reach AWS by accident."""

import gc
import os

import pytest

from vitrina import config, keys
from vitrina.config import Config
from vitrina.keys import Secret

KEY = "k" * 64

SETTINGS = Config(
    stack_name="Vitrina-test",
    connections_table="connections",
    products_table="products",
    accounts_table="accounts",
    platform_table="platform",
    history_table="history",
    fanout_queue_url="https://sqs.eu-central-1.amazonaws.com/123456789012/fanout",
    signing_key_secret="signing-key",
    management_url="http://localhost:1/ws",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--without-grant",
        metavar="FUNCTION,ACTION,RESOURCE",
        help="take a grant away from the deployed stack, as approve,dynamodb:PutItem,Products:"
        " the suite must fail",
    )


@pytest.fixture(scope="session", autouse=True)
def _no_credentials() -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@pytest.fixture(scope="session", autouse=True)
def _find_garbage_at_once() -> None:
    """`functions` lets it lie for the sake of cold starts; here it shows what was not closed."""
    gc.set_threshold(700, 10, 10)


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> Config:
    """Config as a function finds them, and a signing key that needs no Secrets Manager."""
    for name, value in SETTINGS.to_environment().items():
        monkeypatch.setenv(name, value)
    config.current.cache_clear()
    monkeypatch.setattr(keys, "signing", lambda: Secret("key-1", KEY, created_at=0))
    return SETTINGS
