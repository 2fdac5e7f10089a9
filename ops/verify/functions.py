"""Functions: each has responded, with its layer and its trace."""

import time
from typing import Any

from ops.verify import delivery, frames, monitoring, responses
from ops.verify.expectation import Unexpected
from ops.verify.site import Site

TRACE_SECONDS = 120
# Those that verify tokens have the layer of public keys.
VERIFYING = ("connect", "message", "approve")


def each_responds(site: Site) -> str:
    """Cause an invocation of every function, and wait until CloudWatch has counted one of each."""
    # connect, greet, message, disconnect; announce, fanout.
    frames.of_an_unknown_type(site)
    delivery.by_a_worker(site)
    admin, user = site.token("admin"), site.token("user")
    site.request("POST", responses.APPROVE_NO_PRODUCT, admin)
    reject = responses.APPROVE_NO_PRODUCT.replace("approve", "reject")
    site.request("POST", reject, admin, json={"moderation_notes": "Проверка"})
    site.request("POST", "/api/v1/admin/accounts/1/disconnect", user)
    for path in ("/api/v1/admin/settings", "/api/v1/products", "/ws/stats", "/openapi.json"):
        site.request("GET", path, admin)
    for path in ("/api/v1/me", "/api/v1/events?channel=user"):
        site.request("GET", path, user)
    site.request("POST", "/api/v1/auth/login", json={})
    # The sweep runs by itself, every minute.
    functions = site.functions()
    silent = {name: function.name for name, function in functions.items()}

    def each_ran() -> bool:
        for name, deployed in [*silent.items()]:
            if monitoring.has_run(site, deployed):
                del silent[name]
        return not silent

    try:
        site.until_aws_shows(each_ran, monitoring.METRIC_SECONDS, "run of each")
    except Unexpected:
        raise Unexpected(f"no run of {', '.join(sorted(silent))}") from None
    return f"{len(functions)} functions"


def have_the_layer(site: Site) -> str:
    """Say that the functions that verify tokens have the layer of public keys."""
    functions = site.functions()
    without = [name for name in VERIFYING if not functions[name].configuration.get("Layers")]
    if without:
        raise Unexpected(f"no layer: {', '.join(without)}")
    return f"{', '.join(VERIFYING)} have it"


def are_traced(site: Site) -> str:
    """Request an approval, and wait for its trace."""
    begun = time.time()
    name = site.functions()["approve"].name
    site.request("POST", responses.APPROVE_NO_PRODUCT, site.token("admin"))

    def traces() -> Any:
        return site.aws("xray").get_trace_summaries(
            StartTime=begun - 1, EndTime=time.time(), FilterExpression=f'service("{name}")'
        )["TraceSummaries"]

    return f"{len(site.until_aws_shows(traces, TRACE_SECONDS, 'trace of approve'))} traces"


def report_their_runs(site: Site) -> bool:
    """Return whether this stage has `report_lines`."""
    logging = site.functions()["approve"].configuration["LoggingConfig"]
    return bool(logging.get("LogFormat", "Text") == "Text")


def is_traced(site: Site) -> bool:
    """Return whether this stage has `tracing`."""
    tracing = site.functions()["approve"].configuration.get("TracingConfig", {})
    return bool(tracing.get("Mode") == "Active")
