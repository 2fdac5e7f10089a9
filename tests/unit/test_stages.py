"""What a stage chooses, and who may choose otherwise."""

import re
from pathlib import Path
from typing import Any

import pytest

from infra.cdk import stages
from vitrina.config import Policy

DOCUMENT = Path(__file__).parents[2] / "docs/first-deploy.md"


def choose(**context: Any) -> stages.Stage:
    return stages.choose(context.get)


@pytest.mark.parametrize("name", stages.CHOICES)
def test_every_stage_is_complete_without_options(name: str) -> None:
    stage = choose(stage=name)
    assert stage.name == name
    assert set(stage.policy()) == set(Policy.model_fields)


def test_it_is_prod_unless_another_stage_is_named_and_prod_keeps_everything() -> None:
    stage = choose()
    assert stage.name == "prod"
    assert (stage.removal_policy, stage.deletion_protection) == ("retain", True)


def test_phones_are_kept_alive_every_four_minutes_where_people_use_them() -> None:
    """API Gateway closes a connection that is silent for ten."""
    intervals = {name: choose(stage=name).ping_interval_seconds for name in stages.CHOICES}
    assert intervals == {"dev": 30, "staging": 240, "prod": 240}


def test_what_the_command_line_says_is_stronger_than_cdk_json_than_the_table() -> None:
    context: dict[str, Any] = {"stage": "staging", "staging": {"user_shards": 8, "currency": "KZT"}}
    assert choose(stage="staging").backup_days == 7
    assert choose(**context).currency == "KZT"
    assert choose(**context, currency="BYN").currency == "BYN"
    assert choose(**context | {"prod": {"currency": "USD"}}).currency == "KZT"


def test_lists_and_switches_may_come_as_text() -> None:
    stage = choose(allowed_origins="https://a.example,https://b.example", tracing="false")
    assert stage.allowed_origins == ("https://a.example", "https://b.example")
    assert stage.tracing is False


def test_the_table_of_choices_says_what_the_stages_choose() -> None:
    row = r"^\| `(\w+)`[^|]*" + 3 * r" \| ([^|]+)" + r" \|$"
    table = {name: cells for name, *cells in re.findall(row, DOCUMENT.read_text(), re.MULTILINE)}
    assert set(table) == {name for choices in stages.CHOICES.values() for name in choices}
    for name, cells in table.items():
        assert cells == [_as_told(getattr(choose(stage=stage), name)) for stage in stages.CHOICES]


def _as_told(value: object) -> str:
    match value:
        case bool():
            return "on" if value else "off"
        case int():
            return f"{value:,}"
        case (number,):
            return str(number)
    return str(value)


@pytest.mark.parametrize(
    ("context", "sentence"),
    [
        ({"stage": "production"}, "production is not one of dev, staging, prod"),
        ({"prod": "x"}, "expected an object"),
        ({"prod": {"alowed_origins": []}}, "alowed_origins"),
        ({"prod": {"name": "dev"}, "backup_days": 36}, "backup_days"),
        ({"log_retention_days": 8}, "log_retention_days"),
        ({"removal_policy": "destroy"}, "deletion_protection"),
        ({"domain_name": "ws.your.shop"}, "must be set together"),
        ({"requests_per_address": 9}, "10 or more"),
        ({"alarm_email": "nobody"}, "alarm_email"),
        ({"certificate_arn": "arn:aws:acm:eu-central-1:1:certificate/x"}, "certificate_arn"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_choice_is_named(context: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        stages.choose(context.get)
