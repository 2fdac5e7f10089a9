"""Alarms, dashboard and log queries, against each other, the template and the runbook."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
from aws_cdk.assertions import Match, Template
from botocore import xform_name

from infra.cdk.alarms import ALARMS
from infra.cdk.functions import FUNCTIONS
from infra.cdk.monitoring import QUERIES
from tests.infra.conftest import resources, statements
from vitrina.metrics import NAMESPACE, UNITS

RUNBOOK = (Path(__file__).parents[2] / "docs/runbook.md").read_text()

TABLES = ("connections", "history", "platform", "sessions")
# The others answer the HTTP API, whose alarm is HttpErrors.
WATCHED = ("connect", "disconnect", "message", "greet", "fanout", "sweep")
OF_SEVERAL = {
    "FunctionErrors": WATCHED,
    "FunctionThrottles": WATCHED,
    "TableThrottles": TABLES,
}

# What the command line has of its own, and no API: its options, and another name for an endpoint.
OWN_OPTIONS = {"query", "output", "region", "notification-endpoint"}


def blocks(language: str) -> list[str]:
    """Return the runbook's blocks of a language, "" for those that name none."""
    found = re.findall(r"^```(\w*)\n(.*?)\n```$", RUNBOOK, re.MULTILINE | re.DOTALL)
    return [text for named, text in found if named == language]


def alarms(template: Template) -> dict[str, dict[str, Any]]:
    """Return the properties of each alarm by its name, without the stack's."""
    found = [a["Properties"] for a in resources(template, "AWS::CloudWatch::Alarm").values()]
    return {re.sub(r"^Vitrina-[a-z]+-", "", alarm["AlarmName"]): alarm for alarm in found}


def functions(template: Template) -> dict[str, dict[str, Any]]:
    """Return the properties of each function of the service by the name of its folder."""
    found = resources(template, "AWS::Lambda::Function").values()
    handlers = {of["Properties"]["Handler"]: of["Properties"] for of in found}
    return {
        name.split(".")[1]: of for name, of in handlers.items() if name.startswith("functions.")
    }


def expected() -> set[str]:
    several = {f"{name}-{what}" for name, of in OF_SEVERAL.items() for what in of}
    return several | (ALARMS.keys() - OF_SEVERAL.keys())


def dashboard(template: Template) -> str:
    [found] = resources(template, "AWS::CloudWatch::Dashboard").values()
    body = found["Properties"]["DashboardBody"]["Fn::Join"][1]
    return "".join(part if isinstance(part, str) else json.dumps(part) for part in body)


def test_every_table_and_every_function_that_the_http_api_does_not_call_has_its_alarms(
    template: Template,
) -> None:
    assert set(alarms(template)) == expected()


def test_every_alarm_has_its_section_in_the_runbook_and_every_section_its_alarm() -> None:
    sections = re.findall(r"^### (\w+)$", RUNBOOK.partition("## Alarms")[2], re.MULTILINE)
    assert sections == list(ALARMS)


def test_an_alarm_says_what_it_means_and_where_to_read_what_to_do(template: Template) -> None:
    for name, alarm in alarms(template).items():
        kind = name.partition("-")[0]
        assert alarm["AlarmDescription"].startswith(ALARMS[kind].says)
        assert alarm["AlarmDescription"].endswith(f"docs/runbook.md#{kind.lower()}")


def test_every_alarm_tells_the_topic_when_it_begins_and_when_it_ends(template: Template) -> None:
    [topic] = resources(template, "AWS::SNS::Topic")
    for alarm in alarms(template).values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": topic}]


def test_quiet_hours_raise_no_alarm_and_a_sweep_that_is_missing_does(template: Template) -> None:
    breaching = {
        name for name, alarm in alarms(template).items() if alarm["TreatMissingData"] == "breaching"
    }
    assert breaching == {"SweepStopped"}
    assert {alarm["TreatMissingData"] for alarm in alarms(template).values()} == {
        "breaching",
        "notBreaching",
    }


def test_no_alarm_is_about_what_clients_alone_can_cause(template: Template) -> None:
    of_apis = json.dumps(list(alarms(template).values()))
    assert not re.search(r'"(4xx|ClientError|IntegrationError|Gone|NotRecovered)"', of_apis)


def test_the_topic_accepts_only_alarms_of_this_stack_over_tls(template: Template) -> None:
    """A policy that only refuses plain HTTP would refuse the alarms as well."""
    [policy] = resources(template, "AWS::SNS::TopicPolicy").values()
    refused, allowed = policy["Properties"]["PolicyDocument"]["Statement"]
    assert refused["Effect"] == "Deny"
    assert refused["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert allowed["Effect"] == "Allow"
    assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allowed["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert json.dumps(allowed["Condition"]["ArnLike"]).endswith(':alarm:Vitrina-prod-*"]]}}')


def test_an_address_is_notified_if_there_is_one(template: Template, chosen: Template) -> None:
    assert not resources(template, "AWS::SNS::Subscription")
    chosen.has_resource_properties(
        "AWS::SNS::Subscription", {"Protocol": "email", "Endpoint": "ops@example.com"}
    )


def own_metrics(text: str) -> set[str]:
    """Return which of the service's own metrics a dashboard or an alarm is about."""
    return set(re.findall(rf'"{NAMESPACE}","([\w.]+)","service"', text))


def test_what_is_measured_is_on_the_dashboard_and_nothing_else(template: Template) -> None:
    assert own_metrics(dashboard(template)) == set(UNITS)


def test_alarms_are_about_what_is_measured(template: Template) -> None:
    single = list(alarms(template).values())
    parts = [part for alarm in single for part in alarm.get("Metrics", ())]
    calculated = [part["MetricStat"]["Metric"] for part in parts if "MetricStat" in part]
    own = [metric for metric in (*single, *calculated) if metric.get("Namespace") == NAMESPACE]
    assert len(own) == 10
    for metric in own:
        assert metric["MetricName"] in UNITS
        assert metric["Dimensions"] == [{"Name": "service", "Value": "Vitrina-prod"}]


def test_an_index_that_holds_up_writes_is_watched_with_its_table(template: Template) -> None:
    indexes = {
        index["IndexName"]
        for name, table in resources(template, "AWS::DynamoDB::GlobalTable").items()
        if any(watched in name.lower() for watched in TABLES)
        for index in table["Properties"].get("GlobalSecondaryIndexes", ())
    }
    watched = json.dumps(list(alarms(template).values()))
    found = set(re.findall(r'"GlobalSecondaryIndexName", "Value": "(\w+)"', watched))
    assert found == indexes


def test_the_local_cloud_has_every_alarm_but_those_that_calculate(
    template: Template, local_template: Template
) -> None:
    calculated = {name for name, alarm in alarms(template).items() if "Metrics" in alarm}
    assert set(alarms(local_template)) == expected() - calculated
    assert len(calculated) == 3 + len(TABLES)


def test_saved_queries_are_those_of_the_runbook_and_read_all_logs(template: Template) -> None:
    assert blocks("") == list(QUERIES.values())
    groups = sum(not needs.pushes for needs in FUNCTIONS.values())
    for name, query in QUERIES.items():
        template.has_resource_properties(
            "AWS::Logs::QueryDefinition",
            {
                "Name": f"Vitrina-prod/{name}",
                "QueryString": query,
                "LogGroupNames": Match.any_value(),
            },
        )
    for found in resources(template, "AWS::Logs::QueryDefinition").values():
        assert len(found["Properties"]["LogGroupNames"]) == groups


def test_functions_are_traced_where_the_stage_says_so(
    template: Template, local_template: Template
) -> None:
    for found, traced in ((template, True), (local_template, False)):
        having = {name for name, of in functions(found).items() if "TracingConfig" in of}
        publishing = {"approve", "reject", "settings", "announce", "fanout"}
        assert having == (publishing if traced else set())
        granted = [s for s in statements(found) if "xray:PutTraceSegments" in s["Action"]]
        assert len(granted) == len(having)


def test_lambdas_own_lines_are_left_out_but_warnings_and_no_line_of_the_functions(
    template: Template, local_template: Template, chosen: Template
) -> None:
    """Metrics are lines without a level, and the application's level would drop them."""
    for of in functions(template).values():
        logging = {**of["LoggingConfig"]}
        del logging["LogGroup"]
        assert logging == {"LogFormat": "JSON", "SystemLogLevel": "WARN"}
    for found in (local_template, chosen):
        for of in functions(found).values():
            assert of["LoggingConfig"].keys() == {"LogGroup"}


def commands() -> Iterator[tuple[str, str, list[str]]]:
    """Yield service, operation and options of each call of the command line in the runbook."""
    text = "\n".join([*blocks("bash"), *re.findall(r"`(aws [^`]+)`", RUNBOOK)]).replace("\\\n", " ")
    for line in text.splitlines():
        calls = list(re.finditer(r"\baws ([a-z][a-z0-9-]+) ([a-z-]+)", line))
        for call in calls:
            own = _of_one_call(line, call.end())
            yield call[1], call[2], re.findall(r"(?<=\s)--([a-z-]+)", own)


def _of_one_call(line: str, start: int) -> str:
    """Return the rest of a call: what is nested in it or follows its closing bracket is not its."""
    depth = 0
    own = []
    for sign in line[start:]:
        depth += (sign == "(") - (sign == ")")
        if depth < 0:
            break
        if depth == 0:
            own.append(sign)
    return "".join(own)


def test_the_runbooks_commands_are_commands_of_a_shell() -> None:
    for block in blocks("bash"):
        subprocess.run(["bash", "-n"], input=block, text=True, check=True)


def test_the_runbooks_commands_exist_with_their_options() -> None:
    session = botocore.session.get_session()
    found = list(commands())
    assert len(found) > 30
    for service, operation, options in found:
        model = session.get_service_model(service)
        names = {xform_name(name, "-"): name for name in model.operation_names}
        assert operation in names, f"{service} {operation}"
        shape = model.operation_model(names[operation]).input_shape
        known = {xform_name(name, "-") for name in (shape.members if shape else ())}
        assert set(options) <= known | OWN_OPTIONS, f"{service} {operation}"


def test_every_function_that_the_runbook_names_exists() -> None:
    named = set(re.findall(r"\((?:function_of|log_of) (\w+)\)", RUNBOOK))
    assert named <= set(FUNCTIONS)
