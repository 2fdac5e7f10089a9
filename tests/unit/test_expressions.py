"""The benchmarks' stand-in of DynamoDB reads the expressions of lanes as DynamoDB does."""

from typing import Any

import pytest

from bench.cloud.expressions import predicate, updated

NAMES = {"#batch": "batch"}
VALUES = {
    ":now": {"N": "100"},
    ":me": {"S": "worker"},
    ":firsts": {"NS": ["7", "8"]},
    ":one": {"N": "1"},
}
REQUEST: dict[str, Any] = {
    "ExpressionAttributeNames": NAMES,
    "ExpressionAttributeValues": VALUES,
}


def update(item: dict[str, Any], expression: str) -> dict[str, Any]:
    return updated(item, REQUEST | {"UpdateExpression": expression})


def test_a_set_grows_by_the_members_it_does_not_have() -> None:
    assert update({}, "ADD pending :firsts") == {"pending": {"NS": ["7", "8"]}}
    old = {"pending": {"NS": ["5", "7"]}}
    assert update(old, "ADD pending :firsts") == {"pending": {"NS": ["5", "7", "8"]}}
    assert old == {"pending": {"NS": ["5", "7"]}}


def test_a_set_without_members_does_not_exist() -> None:
    assert update({"pending": {"NS": ["7", "9"]}}, "DELETE pending :firsts") == {
        "pending": {"NS": ["9"]}
    }
    assert update({"pending": {"NS": ["8"]}}, "DELETE pending :firsts") == {}
    assert update({}, "DELETE pending :firsts") == {}


def test_a_default_is_set_once() -> None:
    expression = "SET created_at = if_not_exists(created_at, :now), holder = :me"
    assert update({}, expression) == {"created_at": {"N": "100"}, "holder": {"S": "worker"}}
    old = {"created_at": {"N": "1"}}
    assert update(old, expression)["created_at"] == {"N": "1"}


def test_one_update_has_clauses_of_each_kind() -> None:
    old = {"cursor": {"S": "a"}, "pending": {"NS": ["7", "9"]}, "count": {"N": "4"}}
    expression = "ADD count :one SET holder = :me REMOVE cursor, unsent DELETE pending :firsts"
    assert update(old, expression) == {
        "pending": {"NS": ["9"]},
        "count": {"N": "5"},
        "holder": {"S": "worker"},
    }


@pytest.mark.parametrize(
    ("item", "holds"),
    [
        ({}, True),
        ({"holder": {"S": "worker"}, "held_until": {"N": "99"}}, True),
        ({"holder": {"S": "worker"}, "held_until": {"N": "100"}}, False),
    ],
)
def test_either_side_of_or_is_enough(item: dict[str, Any], holds: bool) -> None:
    found = predicate("attribute_not_exists(holder) OR held_until < :now", REQUEST)
    assert found(item) is holds


@pytest.mark.parametrize(
    ("item", "holds"),
    [
        ({"expires_at": {"N": "101"}, "batch": {"BOOL": True}}, True),
        ({"expires_at": {"N": "101"}}, False),
        ({"expires_at": {"N": "100"}, "batch": {"BOOL": True}}, False),
    ],
)
def test_and_needs_both(item: dict[str, Any], holds: bool) -> None:
    found = predicate("expires_at > :now AND attribute_exists(#batch)", REQUEST)
    assert found(item) is holds


def test_brackets_bind_closer_than_and() -> None:
    found = predicate("holder = :me AND (attribute_not_exists(a) OR a <= :now)", REQUEST)
    assert found({"holder": {"S": "worker"}})
    assert found({"holder": {"S": "worker"}, "a": {"N": "100"}})
    assert not found({"holder": {"S": "other"}})
    assert not found({"holder": {"S": "worker"}, "a": {"N": "101"}})


def test_without_an_expression_everything_matches() -> None:
    assert predicate("", {})({})
