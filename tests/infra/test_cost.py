"""The assumptions of docs/cost.md about the stack."""

from typing import Any

import pytest

from bench.cost.usage import SELDOM, Upkeep
from tests.infra.conftest import resources, synthesise
from vitrina.metrics import UNITS

ALARM = "AWS::CloudWatch::Alarm"
ASSUMED = {
    ALARM: Upkeep().alarms,
    "AWS::CloudWatch::Dashboard": Upkeep().dashboards,
    "AWS::SecretsManager::Secret": Upkeep().secrets,
}


@pytest.fixture(scope="module")
def counts() -> dict[str, int]:
    template = synthesise(None)
    found = {kind: len(resources(template, kind)) for kind in ASSUMED}
    # Each metric of a calculated alarm is billed as one.
    alarms = resources(template, ALARM).values()
    return found | {ALARM: sum(_metrics(alarm["Properties"]) for alarm in alarms)}


def _metrics(alarm: dict[str, Any]) -> int:
    return sum("MetricStat" in part for part in alarm.get("Metrics", [{"MetricStat": {}}]))


@pytest.mark.parametrize("kind", ASSUMED)
def test_the_bill_counts_the_resources_of_the_stack(kind: str, counts: dict[str, int]) -> None:
    assert counts[kind] == ASSUMED[kind], "correct bench/cost/usage.py and run `make cost`"


def test_the_bill_counts_every_metric_of_the_service_that_has_values_in_each_hour() -> None:
    assert UNITS.keys() > SELDOM
    assert Upkeep().metrics == len(UNITS) - len(SELDOM)
