"""What docs/cost.md takes for granted of the stack."""

import pytest

from bench.cost.usage import Upkeep
from tests.infra.conftest import resources, synthesise

MOST = {
    "AWS::CloudWatch::Alarm": Upkeep().alarms,
    "AWS::CloudWatch::Dashboard": Upkeep().dashboards,
    "AWS::SecretsManager::Secret": Upkeep().secrets,
    "AWS::WAFv2::WebACL": Upkeep().firewalls,
}


@pytest.fixture(scope="module")
def counts() -> dict[str, int]:
    template = synthesise(None)
    return {kind: len(resources(template, kind)) for kind in MOST}


@pytest.mark.parametrize("kind", MOST)
def test_the_bill_has_no_fewer_than_the_stack(kind: str, counts: dict[str, int]) -> None:
    assert counts[kind] <= MOST[kind], "correct bench/cost/usage.py and run `make cost`"
