"""What the CDK app writes is what the functions read."""

import pytest
from hypothesis import given, strategies
from pydantic import ValidationError

from harness.deployment import CONFIG
from vitrina.config import Config


@given(
    strategies.builds(
        Config,
        approval_fee=strategies.decimals(0, 10**6, places=2),
        token_lifetime_seconds=strategies.integers(60, 86_400),
        user_shards=strategies.lists(
            strategies.integers(1, 100), min_size=1, max_size=3, unique=True
        ).map(tuple),
    )
)
def test_settings_survive_the_environment(settings: Config) -> None:
    assert Config.from_environment(settings.to_environment()) == settings
    assert Config.from_outputs(settings.to_outputs()) == settings


def test_a_stacks_outputs_lead_back_to_its_resources() -> None:
    outputs = CONFIG.to_outputs()
    assert set(outputs) == {
        *("ConnectionsTable", "ProductsTable", "AccountsTable", "PlatformTable", "SessionsTable"),
        *(
            "HistoryTable",
            "DevicesTable",
            "FanoutQueueUrl",
            "RetryQueueUrl",
            "SigningKeySecret",
            "ManagementUrl",
        ),
        "StackName",
        "Policy",
    }
    assert Config.from_outputs(outputs | {"HttpUrl": "x"}) == CONFIG


def test_other_variables_are_ignored_and_defaults_fill_in() -> None:
    environment = CONFIG.to_environment() | {"PATH": "/bin", "VITRINA_UNKNOWN": "1"}
    del environment["VITRINA_USER_SHARDS"]
    assert Config.from_environment(environment) == CONFIG


@pytest.mark.parametrize(
    ("told", "read"),
    [
        (16, (16,)),
        ("16", (16,)),
        ("32,16", (32, 16)),
        ([32, 16], (32, 16)),
    ],
)
def test_a_number_of_shards_may_be_several_from_wherever_it_comes(
    told: object, read: tuple[int, ...]
) -> None:
    mine = Config.model_validate(CONFIG.model_dump() | {"user_shards": told})
    assert mine.user_shards == read


def test_one_number_of_shards_is_written_as_it_always_was() -> None:
    """The version before reads a number: its functions and these are updated one by one."""
    assert CONFIG.to_environment()["VITRINA_USER_SHARDS"] == "4"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VITRINA_USER_SHARDS", "0"),
        ("VITRINA_USER_SHARDS", "101"),
        ("VITRINA_USER_SHARDS", "16,16"),
        ("VITRINA_USER_SHARDS", "8,16,24,32"),
        ("VITRINA_USER_SHARDS", ","),
        ("VITRINA_USER_SHARDS", "16;32"),
        ("VITRINA_APPROVAL_FEE", "-1"),
        ("VITRINA_TOKEN_LIFETIME_SECONDS", "soon"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str) -> None:
    with pytest.raises(ValidationError, match=name.removeprefix("VITRINA_").lower()):
        Config.from_environment(CONFIG.to_environment() | {name: value})


def test_a_missing_table_is_named() -> None:
    with pytest.raises(ValidationError, match="connections_table"):
        Config.from_environment({})
