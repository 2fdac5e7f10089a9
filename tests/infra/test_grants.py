"""What a function may do in a table that has rows of several kinds."""

import json
from typing import Any

import pytest
from aws_cdk.assertions import Template

from infra.cdk.functions import FUNCTIONS
from infra.cdk.http_api import HTTP_ROUTES, OTHER_ROUTES
from infra.cdk.table_access import SHARED_TABLES, Statement, statements
from tests.infra.conftest import resources, synthesise

WRITES = {"PutItem", "UpdateItem", "DeleteItem"}


def allowed(name: str) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the patterns of keys by place and action; an empty one for all keys."""
    return {
        (place, action): keys
        for place, actions, keys, _ in statements(FUNCTIONS[name].tables)
        for action in actions
    }


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_line_of_a_shared_table_names_its_rows(name: str) -> None:
    for line in FUNCTIONS[name].tables:
        if line.partition("[")[0] in SHARED_TABLES:
            assert line.endswith("]"), f'{name}: write "{line}[KEYS]", or "{line}[*]" for all rows'


def test_an_action_has_the_keys_of_all_its_lines() -> None:
    lines = {
        "platform[settings]": ("GetItem",),
        "platform[stats,login#*]": ("GetItem", "PutItem"),
        "history[*]": ("Query",),
        "history[user]": ("Query", "PutItem"),
        "history/outbox": ("Query",),
        "products": ("GetItem", "PutItem"),
        "products.version": ("UpdateItem",),
    }
    assert statements(lines) == [
        Statement("platform", ("GetItem",), ("login#*", "settings", "stats")),
        Statement("platform", ("PutItem",), ("login#*", "stats")),
        Statement("history", ("Query",), ()),
        Statement("history", ("PutItem",), ("user",)),
        Statement("history/outbox", ("Query",), ()),
        Statement("products", ("GetItem", "PutItem"), ()),
        Statement("products", ("UpdateItem",), (), "version"),
    ]


def test_a_row_of_the_platform_is_for_nobody_by_default() -> None:
    for name in FUNCTIONS:
        for (place, action), keys in allowed(name).items():
            assert place != "platform" or keys, (name, action)


def test_strangers_reach_only_their_own_rows_through_a_login() -> None:
    of_login = allowed("login")
    assert {keys for (place, _), keys in of_login.items() if place == "platform"} == {("login#*",)}
    writes = {action: keys for (place, action), keys in of_login.items() if place == "sessions"}
    assert writes == {"BatchGetItem": (), "UpdateItem": ("admin:*", "shop:*", "user:*")}
    assert "history" not in {place for place, _ in of_login}


def test_nobody_but_an_operator_ends_everyones_sessions() -> None:
    for name in FUNCTIONS:
        for action in WRITES:
            keys = allowed(name).get(("sessions", action))
            assert keys is None or (keys and not {"everyone", "*", "e*"} & {*keys}), name


def test_a_function_writes_only_to_the_channels_of_its_events() -> None:
    written = {name: allowed(name).get(("history", "PutItem")) for name in FUNCTIONS}
    everyone = ("admin", "shop", "user")
    assert {name: keys for name, keys in written.items() if keys} == {
        "approve": everyone,
        "settings": everyone,
        "reject": ("admin", "shop", "shop:*", "user"),
        "products": everyone,
        # It begins a channel that nobody has read, and writes no events.
        "events": ("admin", "admin:*", "room:*", "shop", "shop:*", "user", "user:*"),
    }
    assert {name for name, keys in written.items() if keys == ()} == {
        "announce",
        "fanout",
        "greet",
        "message",
    }


def of_dynamodb(template: Template, name: str) -> list[dict[str, Any]]:
    """Return the statements of a function's role about tables."""
    [policy] = [
        policy["Properties"]["PolicyDocument"]["Statement"]
        for key, policy in resources(template, "AWS::IAM::Policy").items()
        if key.startswith(f"Functions{name.capitalize()}Role")
    ]
    return [each for each in policy if "dynamodb:" in json.dumps(each["Action"])]


def test_the_keys_are_conditions_of_the_statements(template: Template) -> None:
    conditions = [each.get("Condition") for each in of_dynamodb(template, "login")]
    assert conditions == [
        None,
        {"ForAllValues:StringEquals": {"dynamodb:Attributes": ["email", "password_hash"]}},
        {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["login#*"]}},
        None,
        {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["admin:*", "shop:*", "user:*"]}},
    ]


def test_the_doors_alone_read_what_the_edge_sends(template: Template) -> None:
    doors = {"connect", *HTTP_ROUTES.values(), OTHER_ROUTES}
    assert {name for name, needs in FUNCTIONS.items() if needs.has_door} == doors
    [secret] = [key for key in resources(template, "AWS::SecretsManager::Secret") if "Edge" in key]
    readers = {
        key
        for key, policy in resources(template, "AWS::IAM::Policy").items()
        if secret in json.dumps(policy)
    }
    assert {key.removeprefix("Functions").partition("Role")[0].lower() for key in readers} == doors


def test_without_an_edge_there_is_no_such_secret() -> None:
    template = synthesise(None, edge="off")
    assert len(resources(template, "AWS::SecretsManager::Secret")) == 1
    for function in resources(template, "AWS::Lambda::Function").values():
        variables = function["Properties"]["Environment"]["Variables"]
        assert (variables["VITRINA_GUARDED"], variables["VITRINA_EDGE_SECRET"]) == ("False", "")


def test_no_value_of_a_secret_is_in_a_template(template: Template) -> None:
    """Functions have the secret's ARN, and the distribution a reference that AWS resolves."""
    for function in resources(template, "AWS::Lambda::Function").values():
        assert "resolve:secretsmanager" not in json.dumps(function)
    text = json.dumps(template.to_json())
    assert text.count("resolve:secretsmanager") == 2
