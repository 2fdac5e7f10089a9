"""The alarms, the dashboard and the runbook's commands on a deployed stack."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.emulator import STACK, Cloud
from tests.emulator.conftest import Connect, all_logs, wait_until
from vitrina import config
from vitrina.metrics import NAMESPACE

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "docs/runbook.md").read_text()


@pytest.fixture
def run(url: str, tmp_path: Path) -> Callable[[str], str]:
    """Return a way to run one of the runbook's blocks in a shell that is prepared as it says."""
    program = tmp_path / "aws"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {ROOT}/tests/emulator/aws_cli.py "$@"\n')
    program.chmod(0o755)
    environment = {k: v for k, v in os.environ.items() if k != "AWS_DEFAULT_REGION"}
    environment |= {"AWS_REGION": "us-east-1", "STAGE": "dev", "EDGE_URL": url}

    def run(name: str) -> str:
        done = subprocess.run(
            ["bash", "-euc", f'PATH="{tmp_path}:$PATH"\n{block("prepare")}\n{block(name)}'],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def block(name: str) -> str:
    """Return the shell commands below `<!-- run: NAME -->`."""
    found = re.search(rf"<!-- run: {name} -->\n```bash\n(.*?)```", RUNBOOK, re.DOTALL)
    assert found, name
    return found[1]


def test_the_alarms_and_the_dashboard_are_deployed(cloud: Cloud) -> None:
    cloudwatch = boto3.client("cloudwatch")
    found = [
        alarm
        for page in cloudwatch.get_paginator("describe_alarms").paginate()
        for alarm in page["MetricAlarms"]
    ]
    assert {alarm["AlarmName"] for alarm in found} >= {f"{STACK}-Refused", f"{STACK}-SweepStopped"}
    topics = {topic["TopicArn"] for topic in boto3.client("sns").list_topics()["Topics"]}
    for alarm in found:
        assert set(alarm["AlarmActions"]) == {cloud.outputs["AlarmTopic"]} <= topics
    body = json.loads(cloudwatch.get_dashboard(DashboardName=STACK)["DashboardBody"])
    assert len(body["widgets"]) == 22


def test_a_deployment_tells_its_metrics_by_its_name(
    connect: Connect, submit: Callable[[], int], approve: Callable[..., Any]
) -> None:
    """As lines of the log: the local cloud makes no metrics of them."""
    client = connect("user")
    assert approve(submit()).status_code == 200
    client.wait_for("product.approved")
    assert config.current().stack_name == STACK

    def measured() -> set[str]:
        lines = [json.loads(line) for line in all_logs().splitlines() if '"_aws"' in line]
        directives = [line["_aws"]["CloudWatchMetrics"][0] for line in lines]
        assert {line["service"] for line in lines} <= {STACK}
        assert {directive["Namespace"] for directive in directives} <= {NAMESPACE}
        return {metric["Name"] for directive in directives for metric in directive["Metrics"]}

    wanted = {"product.approved", "Posted", "CommitToLastPost"}
    wait_until(lambda: wanted & measured(), wanted)


def test_the_runbook_shows_what_is_in_alarm_and_who_is_notified(
    run: Callable[[str], str],
) -> None:
    run("try")
    assert f"{STACK}-DeadLetters" in run("look")
    assert '{"status":"ok"' in run("look")


def test_the_runbook_adds_a_subscriber_of_alarms(run: Callable[[str], str], cloud: Cloud) -> None:
    assert "someone@your.shop" in run("subscribe")


def test_the_runbook_looks_into_the_queues(run: Callable[[str], str], cloud: Cloud) -> None:
    dead_letters = next(
        url for url in boto3.client("sqs").list_queues()["QueueUrls"] if "FanoutDeadLetters" in url
    )
    sqs = boto3.client("sqs")
    sqs.send_message(QueueUrl=dead_letters, MessageBody="a task of a test")
    assert "a task of a test" in run("dead-letters")
    sqs.purge_queue(QueueUrl=dead_letters)
    run("greet-failures")
    assert "ApproximateNumberOfMessagesDelayed" in run("queue")


def test_the_runbook_looks_at_functions(run: Callable[[str], str]) -> None:
    assert run("stream").startswith("Enabled")
    assert "execute-api" in run("permission")
    run("errors")
    run("sweep")
