"""Logs: what the functions wrote, and what is in no log."""

import json
import re
import secrets
from collections.abc import Iterator
from typing import Any

from ops.verify.expectation import Unexpected
from ops.verify.site import TOKEN, Site

# CloudWatch Logs shows a line some seconds after it was written.
INGESTION_SECONDS = 60
DAY_SECONDS = 24 * 60 * 60
# Much more than the benchmark's cold starts.
MAX_COLD_START_MS = 5000
FAULT_LEVELS = {"ERROR", "CRITICAL"}
SUCCESS = "success"

_COLD_START = re.compile(r"(?:Init|Restore) Duration: ([0-9.]+) ms")


def request_id_of_a_function(site: Site) -> str:
    """Find the `apigw-requestid` of a refused request in the function's log."""
    request_id = _refused_request(site)
    _find(site, site.functions()["settings"].log_group, request_id)
    return "found"


def request_id_of_the_access_log(site: Site) -> str:
    request_id = _refused_request(site)
    _find(site, _access_log(site), request_id)
    return "found"


def have_no_token(site: Site) -> str:
    """Send a token that is refused, wait for its log line, and read every log group of the run.

    The lines are read and searched here: a filter of CloudWatch would itself be logged by
    CloudTrail, with the passwords in it.
    """
    token = f"eyJhbGciOiJIUzI1NiJ9.{secrets.token_urlsafe(40)}.{secrets.token_urlsafe(32)}"
    path = f"/api/v1/admin/settings?token={token}"
    site.request("GET", path, token)
    _wait_for_latest_lines(site)
    passwords = [person.password for person in site.footprint.cast.people.values()]
    groups = _all_groups(site)
    count = 0
    for group in groups:
        for line in _lines(site, group, site.started_at):
            count += 1
            if TOKEN.search(line) or any(password in line for password in passwords):
                raise Unexpected(f"a token or a password in {group}")
    return f"none in {count} lines of {len(groups)} log groups"


def have_no_error(site: Site) -> str:
    """Read every function's log of the run, once the latest lines are in it."""
    _wait_for_latest_lines(site)
    functions = site.functions()
    faults = [
        f"{name}: {line[:200]}"
        for name, function in functions.items()
        for line in _lines(site, function.log_group, site.started_at)
        if _is_fault(line)
    ]
    if faults:
        raise Unexpected(f"{len(faults)} lines, the first of {faults[0]}")
    return f"none in the logs of {len(functions)} functions"


def cold_starts(site: Site) -> str:
    """Read the durations of a day's cold starts; the longest is below a generous bound."""
    since = site.started_at - DAY_SECONDS
    longest = {
        name: max(map(float, _COLD_START.findall("\n".join(lines))))
        for name, function in site.functions().items()
        if (lines := [*_lines(site, function.log_group, since, "Duration")])
        and _COLD_START.search("\n".join(lines))
    }
    if not longest:
        raise Unexpected("no REPORT line with Init Duration")
    came = ", ".join(f"{name} {ms:.0f} ms" for name, ms in sorted(longest.items()))
    if max(longest.values()) > MAX_COLD_START_MS:
        raise Unexpected(came)
    return came


def _refused_request(site: Site) -> str:
    """Make a request that a function refuses, and so logs; return its id."""
    answer = site.request("GET", "/api/v1/admin/settings")
    if not (request_id := answer.headers.get("apigw-requestid")):
        raise Unexpected("no apigw-requestid")
    return request_id


def _wait_for_latest_lines(site: Site) -> None:
    """Ask to disconnect an account that there is not, and wait for the trail's line about it."""
    number = secrets.randbelow(10**15)
    site.request("POST", f"/api/v1/admin/accounts/{number}/disconnect")
    _find(site, site.functions()["accounts"].log_group, str(number))


def _find(site: Site, group: str, text: str) -> None:
    """Wait until a line of the run has a text."""
    site.until_aws_shows(
        lambda: any(text in line for line in _lines(site, group, site.started_at)),
        INGESTION_SECONDS,
        f"log line with {text}",
    )


def _lines(site: Site, group: str, since: float, pattern: str = "") -> Iterator[str]:
    pages = site.aws("logs").get_paginator("filter_log_events")
    request: dict[str, Any] = {"logGroupName": group, "startTime": int(since * 1000)}
    if pattern:
        request["filterPattern"] = f'"{pattern}"'
    for page in pages.paginate(**request):
        site.go_on()
        yield from (event["message"] for event in page["events"])


def _all_groups(site: Site) -> list[str]:
    return sorted(site.resources("AWS::Logs::LogGroup").values())


def _access_log(site: Site) -> str:
    functions = {function.log_group for function in site.functions().values()}
    others = [group for group in _all_groups(site) if group not in functions]
    if len(others) != 1:
        raise Unexpected(f"{len(others)} log groups that are no function's")
    return others[0]


def _is_fault(line: str) -> bool:
    """Return whether a line says that a function failed."""
    try:
        entry: Any = json.loads(line)
    except ValueError:
        return "Task timed out" in line or "Runtime exited" in line
    if not isinstance(entry, dict):
        return False
    # Lambda's own lines have another name for the level, and the run's status.
    levels = {entry.get("level"), entry.get("log_level")}
    record = entry.get("record")
    status = record.get("status", SUCCESS) if isinstance(record, dict) else SUCCESS
    return bool(levels & FAULT_LEVELS) or status != SUCCESS
