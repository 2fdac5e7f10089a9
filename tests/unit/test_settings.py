"""What the CDK app writes is what the functions read."""

import pytest
from hypothesis import given, strategies
from pydantic import ValidationError

from tests.conftest import SETTINGS
from vitrina.settings import Settings


@given(
    strategies.builds(
        Settings,
        approval_fee=strategies.decimals(0, 10**6, places=2),
        token_lifetime_seconds=strategies.integers(60, 86_400),
        user_shards=strategies.integers(1, 100),
    )
)
def test_settings_survive_the_environment(settings: Settings) -> None:
    assert Settings.from_environment(settings.to_environment()) == settings
    assert Settings.from_outputs(settings.to_outputs()) == settings


def test_a_stacks_outputs_lead_back_to_its_resources() -> None:
    outputs = SETTINGS.to_outputs()
    assert set(outputs) == {
        *("ConnectionsTable", "ProductsTable", "AccountsTable", "PlatformTable"),
        *("HistoryTable", "FanoutQueueUrl", "SigningKeySecret", "ManagementUrl"),
        "StackName",
        "Policy",
    }
    assert Settings.from_outputs(outputs | {"HttpUrl": "x"}) == SETTINGS


def test_other_variables_are_ignored_and_defaults_fill_in() -> None:
    environment = SETTINGS.to_environment() | {"PATH": "/bin", "VITRINA_UNKNOWN": "1"}
    del environment["VITRINA_USER_SHARDS"]
    assert Settings.from_environment(environment) == SETTINGS


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VITRINA_USER_SHARDS", "0"),
        ("VITRINA_APPROVAL_FEE", "-1"),
        ("VITRINA_TOKEN_LIFETIME_SECONDS", "soon"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str) -> None:
    with pytest.raises(ValidationError, match=name.removeprefix("VITRINA_").lower()):
        Settings.from_environment(SETTINGS.to_environment() | {name: value})


def test_a_missing_table_is_named() -> None:
    with pytest.raises(ValidationError, match="connections_table"):
        Settings.from_environment({})
