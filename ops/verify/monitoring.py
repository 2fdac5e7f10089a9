"""Monitoring: metrics, alarms, the dashboard, saved queries."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from ops.verify.expectation import Unexpected
from ops.verify.site import Site
from vitrina.metrics import CONNECTIONS, DIMENSION, NAMESPACE

# CloudWatch shows a metric one to three minutes after the line it is made of.
METRIC_SECONDS = 300
# `SweepStopped` is in alarm for about a minute after the first deployment; an alarm without data
# becomes OK at its first evaluations.
ALARM_SECONDS = 300
ALARMS_PER_REQUEST = 100


def metric_of_posts(site: Site) -> str:
    """Announce something to this run's own user, and wait for the metric `Posted`."""
    with site.connect("user", site.token("user")):
        site.announce(site.channel_of("user"))
    return _metric(site, NAMESPACE, "Posted", DIMENSION, site.stack)


def metric_of_connections(site: Site) -> str:
    """Wait for the sweep's count, which may be 0."""
    name = CONNECTIONS[next(iter(CONNECTIONS))]
    return _metric(site, NAMESPACE, name, DIMENSION, site.stack)


def metric_of_handshakes(site: Site) -> str:
    """Connect, and wait for API Gateway's own metric, by the API's id alone."""
    site.handshake("user", site.token("user"))
    api_id = site.outputs["WebSocketUrl"].partition("://")[2].partition(".")[0]
    return _metric(site, "AWS/ApiGateway", "ConnectCount", "ApiId", api_id)


def has_run(site: Site, function: str) -> bool:
    """Return whether a function has been invoked since the run began."""
    return bool(_values(site, "AWS/Lambda", "Invocations", "FunctionName", function))


def _metric(site: Site, namespace: str, name: str, dimension: str, value: str) -> str:
    """Wait for a value since the run began."""
    found = site.until_aws_shows(
        lambda: _values(site, namespace, name, dimension, value),
        METRIC_SECONDS,
        f"{name} of {value}",
    )
    return f"{name} {sum(each['Sum'] for each in found):.0f}"


def _values(site: Site, namespace: str, name: str, dimension: str, value: str) -> Any:
    return site.aws("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": dimension, "Value": value}],
        StartTime=datetime.fromtimestamp(site.started_at, UTC) - timedelta(minutes=1),
        EndTime=datetime.fromtimestamp(time.time(), UTC) + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum"],
    )["Datapoints"]


def alarms_exist(site: Site) -> str:
    wanted = _alarm_names(site)
    if missing := sorted({*wanted} - _states(site, wanted).keys()):
        raise Unexpected(f"missing: {', '.join(missing)}")
    if not wanted:
        raise Unexpected("the stack has no alarms")
    return f"{len(wanted)} alarms"


def alarms_are_ok(site: Site) -> str:
    wanted = _alarm_names(site)

    def others() -> list[str]:
        return [f"{name} {state}" for name, state in _states(site, wanted).items() if state != "OK"]

    try:
        site.until_aws_shows(lambda: not others(), ALARM_SECONDS, "OK of all")
    except Unexpected:
        raise Unexpected(", ".join(others())) from None
    return f"{len(wanted)} OK"


def _alarm_names(site: Site) -> list[str]:
    return sorted(site.resources("AWS::CloudWatch::Alarm").values())


def _states(site: Site, names: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for first in range(0, len(names), ALARMS_PER_REQUEST):
        some = names[first : first + ALARMS_PER_REQUEST]
        answer = site.aws("cloudwatch").describe_alarms(
            AlarmNames=some, MaxRecords=ALARMS_PER_REQUEST
        )
        found |= {alarm["AlarmName"]: alarm["StateValue"] for alarm in answer["MetricAlarms"]}
    return found


def dashboard(site: Site) -> str:
    answer = site.aws("cloudwatch").get_dashboard(DashboardName=site.stack)
    if not (count := answer["DashboardBody"].count('"type"')):
        raise Unexpected("it is empty")
    return f"{count} widgets"


def saved_queries(site: Site) -> str:
    wanted = {*site.resources("AWS::Logs::QueryDefinition").values()}
    answer = site.aws("logs").describe_query_definitions(queryDefinitionNamePrefix=f"{site.stack}/")
    found = {each["queryDefinitionId"]: each["name"] for each in answer["queryDefinitions"]}
    if not wanted or wanted - found.keys():
        raise Unexpected(f"{', '.join(found.values()) or 'none'} of {len(wanted)}")
    return ", ".join(sorted(found.values()))
