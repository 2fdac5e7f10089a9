"""The assumptions of docs/cost.md about the stack."""

import pytest

from bench.cost.usage import Upkeep
from tests.infra.conftest import resources, synthesise

ASSUMED = {
    "AWS::CloudWatch::Alarm": Upkeep().alarms,
    "AWS::CloudWatch::Dashboard": Upkeep().dashboards,
    "AWS::SecretsManager::Secret": Upkeep().secrets,
    "AWS::WAFv2::WebACL": Upkeep().firewalls,
}


@pytest.fixture(scope="module")
def counts() -> dict[str, int]:
    template = synthesise(None)
    return {kind: len(resources(template, kind)) for kind in ASSUMED}


@pytest.mark.parametrize("kind", ASSUMED)
def test_the_bill_counts_at_least_the_resources_of_the_stack(
    kind: str, counts: dict[str, int]
) -> None:
    assert counts[kind] <= ASSUMED[kind], "correct bench/cost/usage.py and run `make cost`"
