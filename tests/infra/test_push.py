"""What push adds to a stack, and that a stack without it has none of it."""

import json
from typing import Any

import pytest
from aws_cdk.assertions import Template
from pydantic import ValidationError

from infra.cdk import stages
from tests.infra.conftest import resources, statements, synthesise

APP = "arn:aws:sns:eu-central-1:123456789012:app/GCM/vitrina"
ENDPOINTS = "arn:aws:sns:eu-central-1:123456789012:endpoint/GCM/vitrina/*"


@pytest.fixture(scope="module")
def with_push() -> Template:
    return synthesise(None, push_apps=APP)


def added(template: Template, with_push: Template) -> dict[str, int]:
    def count(of: Template) -> dict[str, int]:
        kinds = [resource["Type"] for resource in of.to_json()["Resources"].values()]
        return {kind: kinds.count(kind) for kind in {*kinds}}

    before, after = count(template), count(with_push)
    return {kind: after[kind] - before.get(kind, 0) for kind in after if after != before}


def granted(template: Template, name: str) -> set[tuple[str, str]]:
    """Return what a function may do in SNS, and where."""
    [policy] = [
        each
        for key, each in resources(template, "AWS::IAM::Policy").items()
        if key.startswith(f"Functions{name.capitalize()}Role")
    ]
    return {
        (action, _place(statement["Resource"]))
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        for action in _list(statement["Action"])
        if action.startswith("sns:")
    }


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _place(resource: Any) -> str:
    return resource if isinstance(resource, str) else "topic"


def test_a_stack_without_applications_has_nothing_that_costs(
    template: Template, with_push: Template
) -> None:
    more = {kind: count for kind, count in added(template, with_push).items() if count}
    # Two of the function's metrics and three of the table's have alarms.
    assert more["AWS::CloudWatch::Alarm"] == 3
    assert more["AWS::SQS::Queue"] == 1
    assert more["AWS::SNS::Topic"] == 3
    assert more["AWS::Lambda::Function"] == more["AWS::Lambda::EventSourceMapping"] == 1
    assert not any("sns:" in json.dumps(each["Action"]) for each in statements(template))


def test_a_function_may_do_in_sns_what_it_does_and_no_more(with_push: Template) -> None:
    forgets = {("sns:DeleteEndpoint", ENDPOINTS), ("sns:Unsubscribe", "topic")}
    expected = {
        "push": forgets | {("sns:Publish", ENDPOINTS), ("sns:Publish", "topic")},
        "devices": forgets
        | {
            ("sns:CreatePlatformEndpoint", APP),
            ("sns:GetEndpointAttributes", ENDPOINTS),
            ("sns:SetEndpointAttributes", ENDPOINTS),
            ("sns:Subscribe", "topic"),
        },
        "sessions": forgets,
        "accounts": forgets,
        "sweep": forgets,
        "approve": set(),
        "fanout": set(),
    }
    assert {name: granted(with_push, name) for name in expected} == expected


def test_two_workers_share_the_queue_and_failed_tasks_have_the_alarm_of_the_others(
    with_push: Template,
) -> None:
    [queue] = [
        (key, of["Properties"])
        for key, of in resources(with_push, "AWS::SQS::Queue").items()
        if key.startswith("PushQueue")
    ]
    assert "FanoutDeadLetters" in json.dumps(queue[1]["RedrivePolicy"])
    [source] = [
        of["Properties"]
        for of in resources(with_push, "AWS::Lambda::EventSourceMapping").values()
        if queue[0] in json.dumps(of["Properties"]["EventSourceArn"])
    ]
    assert source["ScalingConfig"] == {"MaximumConcurrency": 2}
    assert source["BatchSize"] == 1


@pytest.mark.parametrize(
    "apps", ["x", APP.replace("GCM", "ADM"), f"{APP},{APP}2", APP.replace(":app", ":endpoint")]
)
def test_an_application_is_named_by_its_arn_and_one_of_each_platform(apps: str) -> None:
    with pytest.raises(ValidationError, match="push_apps"):
        stages.choose({"push_apps": apps}.get)
