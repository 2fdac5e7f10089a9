"""Taking a grant away from a deployed function, which is how it shows that it was needed."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3


def function_name(name: str) -> str:
    """Return what the function of a folder is called where it is deployed."""
    return str(_function(name)["FunctionName"])


def _function(name: str) -> Any:
    return next(
        function
        for page in boto3.client("lambda").get_paginator("list_functions").paginate()
        for function in page["Functions"]
        if function["Handler"].startswith(f"functions.{name}.")
    )


@contextmanager
def removed(name: str, action: str, resource: str) -> Iterator[None]:
    """Forbid a function one action on what has `resource` in its ARN, until the end of the block.

    Raises LookupError when the function was not allowed it to begin with.
    """
    iam = boto3.client("iam")
    role = _function(name)["Role"].rpartition("/")[2]
    [policy] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document: Any = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    before = json.dumps(document)
    for statement in document["Statement"]:
        actions = _listed(statement["Action"])
        if action in actions and resource in str(statement["Resource"]):
            statement["Action"] = [other for other in actions if other != action]
    document["Statement"] = [kept for kept in document["Statement"] if kept["Action"]]
    if json.dumps(document) == before:
        raise LookupError(f"{name} has no {action} on {resource}: {before}")
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=before)


def _listed(actions: str | list[str]) -> list[str]:
    return [actions] if isinstance(actions, str) else actions
