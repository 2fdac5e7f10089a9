"""The table of checks, in the order in which they run."""

from collections.abc import Callable
from typing import Any

from ops.verify import (
    delivery,
    frames,
    functions,
    guard,
    handshakes,
    lists,
    logs,
    monitoring,
    origins,
    pages,
    push,
    resources,
    responses,
    tokens,
)
from ops.verify.check import Check, Need
from ops.verify.site import Door, Site
from vitrina import config

EDGE = Need(lambda site: site.edge_url is not None, "the edge is off")
EVERYONE = Need(
    lambda site: site.is_for_everyone or not site.footprint.others,
    "others are connected, and it publishes to everyone: EVERYONE=1 runs it nevertheless",
)
ALLOWED_ORIGIN = Need(lambda _: bool(config.current().allowed_origins), "allowed_origins is empty")
GUARDED = Need(lambda _: config.current().guarded, "the stage is not guarded")
CONSOLE = Need(lambda site: "ConsoleBucket" in site.outputs, "the console is off")
ANOTHER_ISSUER = Need(lambda _: bool(config.current().token_jwks_url), "token_jwks_url is empty")
TRACING = Need(functions.is_traced, "tracing is off")
REPORTS = Need(functions.report_their_runs, "report_lines is off")

UNAUTHORIZED = "401; 403 in the local cloud"

NO_CLOUDFRONT = "CloudFront is not in the local cloud"
NO_MOCK = "its API Gateway has no responses of its own"
NO_PREFLIGHTS = "its API Gateway answers OPTIONS itself"
NO_METRICS = "it makes no metrics of log lines"
# CloudWatch and X-Ray show things minutes later.
SLOW_SECONDS = 400
LOGS_SECONDS = 180
APPROVALS_SECONDS = 180


def _both(
    run: Callable[[Site], str], what: str, expected: str, not_local: str = "", **more: Any
) -> list[Check]:
    """Check both ways; `not_local` says why the local cloud cannot answer the direct one."""
    direct = Check(run, what, expected, Door.DIRECT, not_local=not_local, **more)
    return [_edge(run, what, expected, **more), direct]


def _edge(
    run: Callable[[Site], str], what: str, expected: str, needs: tuple[Need, ...] = (), **more: Any
) -> Check:
    return Check(run, what, expected, Door.EDGE, needs=(EDGE, *needs), **more)


CHECKS: tuple[Check, ...] = (
    # --- Handshakes
    *_both(handshakes.without_a_token, "handshake without a token", UNAUTHORIZED),
    *_both(handshakes.with_a_bad_token, "handshake with a bad token", UNAUTHORIZED),
    *_both(handshakes.of_another_type, "handshake as another type", "403"),
    _edge(handshakes.type_of_the_path, "the path's type, not the query's", "403"),
    *_both(handshakes.of_a_foreign_origin, "handshake from a foreign origin", "403"),
    *_both(handshakes.of_its_own_origin, "handshake from its own origin", "101"),
    *_both(
        handshakes.of_an_allowed_origin,
        "handshake from an allowed origin",
        "101",
        needs=(ALLOWED_ORIGIN,),
    ),
    *_both(handshakes.token_in_the_query, "token in the query", "101"),
    *_both(handshakes.token_in_the_header, "token in the Authorization header", "101"),
    *_both(
        handshakes.token_in_the_subprotocol,
        "token in the subprotocol",
        "101, echoed",
        not_local="it ignores the subprotocol of an answer",
    ),
    # --- The APIs' own URLs
    Check(guard.requests, "requests", "403 on everything", Door.AROUND, needs=(GUARDED,)),
    Check(guard.handshakes, "handshakes", "403", Door.AROUND, needs=(GUARDED,)),
    # --- Frames
    Check(frames.connected, "the first frame", "connected, with both positions"),
    *_both(
        delivery.of_the_greeting,
        "connected arrives",
        f"within {delivery.MAX_CONNECTED_SECONDS:.0f} s",
    ),
    *_both(frames.ping, "answer to ping", "pong"),
    *_both(
        frames.ping_without_a_function,
        "ping without an invocation",
        "pong, where message refuses",
        not_local=NO_MOCK,
    ),
    *_both(frames.resume, "answer to resume", "recovered"),
    Check(frames.join, "answer to join", "joined"),
    Check(frames.leave, "answer to leave", "left"),
    Check(frames.auth, "answer to auth", "authenticated"),
    Check(frames.auth_of_another, "auth of another identity", "error identity_mismatch"),
    Check(frames.resume_of_another_channel, "resume of another channel", "error channel_forbidden"),
    *_both(frames.of_an_unknown_type, "message of an unknown type", "error message_invalid"),
    Check(frames.that_is_not_json, "message that is not JSON", "error message_not_json"),
    Check(frames.that_is_too_large, "message above 8 KB", "error message_too_large"),
    Check(frames.that_is_binary, "binary message", "error message_not_json, or close 1003"),
    Check(frames.that_names_a_route, "message of type $disconnect", "it stays open: pong"),
    # --- Tokens
    *_both(tokens.wrong_password, "login with a wrong password", "401 credentials_invalid"),
    Check(tokens.failed_logins, "login after several failures", "429, with Retry-After"),
    Check(tokens.refresh, "refresh of a session", "200"),
    Check(tokens.logout, "logout", "204, then 401 token_revoked"),
    *_both(tokens.disconnected_account, "disconnected account", "closing, close, then 401"),
    # --- Responses
    *_both(responses.health, "GET /health", "200 ok"),
    Check(responses.statistics, "GET /ws/stats", "200"),
    Check(responses.openapi, "GET /openapi.json", "200, OpenAPI 3.1"),
    Check(responses.asyncapi, "GET /asyncapi.json", "200, AsyncAPI 3.0"),
    *_both(responses.token_in_a_request, "token in a request", "200"),
    *_both(responses.unknown_route, "unknown route", "404 problem+json"),
    *_both(responses.unknown_client_type, "unknown client type", "404 problem+json"),
    *_both(responses.unknown_method, "unknown method", "405 problem+json, Allow"),
    *_both(responses.large_body, "body of 8 MB", "413"),
    *_both(responses.refusal_is_not_kept, "a refusal, twice", "404, not cached"),
    _edge(
        resources.security_headers,
        "security headers",
        "all five",
        not_local=NO_CLOUDFRONT,
    ),
    # --- The console
    _edge(pages.console, "the console", "200, with its files", needs=(CONSOLE,)),
    _edge(pages.console_headers, "headers of the console", "all six", needs=(CONSOLE,)),
    _edge(
        pages.console_caching,
        "what is kept of the console",
        "the page asked for again, files for a year",
        needs=(CONSOLE,),
    ),
    # --- Origins
    *_both(
        origins.preflights,
        "preflights of a page",
        "204, allowed",
        needs=(ALLOWED_ORIGIN,),
        not_local=NO_PREFLIGHTS,
    ),
    *_both(
        origins.foreign_preflight,
        "preflight of a foreign page",
        "204, not allowed",
        not_local=NO_PREFLIGHTS,
    ),
    *_both(
        origins.allowed_page, "list for a page, then cached", "allowed", needs=(ALLOWED_ORIGIN,)
    ),
    *_both(origins.foreign_page, "response for a foreign page", "not allowed"),
    # --- Lists
    _edge(lists.are_shared, "list, with two tokens", "Miss, then Hit", not_local=NO_CLOUDFRONT),
    _edge(lists.stale_list_is_served, "list after its lifetime", "Hit", not_local=NO_CLOUDFRONT),
    _edge(lists.since_ahead_is_not_shared, "list since no event, twice", "no-store, no Hit"),
    _edge(
        lists.since_is_not_older,
        "list since an approval, and since a withdrawal",
        "has its product, then not",
        needs=(EVERYONE,),
    ),
    _edge(lists.others_are_not_shared, "pending products, twice", "no-store, no Hit"),
    # --- Delivery
    Check(
        delivery.of_missed_events,
        "positions in the handshake, after two missed events",
        "recovered with connected, both",
    ),
    *_both(delivery.over_http, "GET /api/v1/events after two events", "recovered, both"),
    Check(delivery.by_a_worker, "a task of the fan-out queue", "posted by a worker"),
    Check(
        delivery.of_approvals,
        f"{delivery.APPROVALS} approvals, to the frame",
        f"median ≤ {delivery.MAX_MEDIAN_SECONDS:.0f} s, worst ≤ {delivery.MAX_WORST_SECONDS:.0f} s",
        needs=(EVERYONE,),
        timeout_seconds=APPROVALS_SECONDS,
    ),
    # --- Push
    Check(push.registration, "a device, registered and removed", "204 twice, or 404 push_off"),
    # --- Resources
    Check(resources.secret, "the signing key's output", "its ARN"),
    Check(
        resources.login_throttle,
        "login throttle",
        "logins_per_second",
        not_local="it keeps no settings of routes",
    ),
    Check(resources.http2, "management API", "HTTP/2", not_local="it has no TLS"),
    _edge(resources.firewall, "the distribution's firewall", "attached", not_local=NO_CLOUDFRONT),
    Check(
        functions.have_the_layer,
        "layer of public keys",
        "attached",
        not_local="no other issuer is configured there",
        needs=(ANOTHER_ISSUER,),
    ),
    # --- Monitoring
    Check(monitoring.alarms_exist, "alarms", "all exist"),
    Check(monitoring.dashboard, "dashboard", "has widgets"),
    Check(monitoring.saved_queries, "saved queries", "all exist", not_local="it has none"),
    Check(
        logs.request_id_of_a_function,
        "request id in a function's log",
        "found",
        not_local="its events have other ids than its responses",
        timeout_seconds=LOGS_SECONDS,
    ),
    Check(
        logs.request_id_of_the_access_log,
        "request id in the access log",
        "found",
        not_local="it writes no access log",
        timeout_seconds=LOGS_SECONDS,
    ),
    Check(
        functions.each_responds,
        "every function responds",
        "a run of each",
        not_local=NO_METRICS,
        timeout_seconds=SLOW_SECONDS,
    ),
    Check(
        functions.are_traced,
        "X-Ray",
        "a trace of approve",
        not_local="it has no X-Ray",
        needs=(TRACING,),
        timeout_seconds=SLOW_SECONDS,
    ),
    *(
        Check(run, what, "a value", not_local=NO_METRICS, timeout_seconds=SLOW_SECONDS)
        for run, what in (
            (monitoring.metric_of_posts, "metric of posts"),
            (monitoring.metric_of_connections, "metric of connections"),
            (monitoring.metric_of_handshakes, "API Gateway's metric of handshakes"),
        )
    ),
    Check(
        monitoring.alarms_are_ok,
        "state of the alarms",
        "all OK",
        not_local=NO_METRICS,
        timeout_seconds=SLOW_SECONDS,
    ),
    Check(
        logs.cold_starts,
        "cold starts of the last day",
        f"below {logs.MAX_COLD_START_MS} ms",
        not_local="its reports have no Init Duration",
        needs=(REPORTS,),
    ),
    # --- The logs of the whole run, so last
    Check(
        logs.have_no_error, "errors in the logs of the run", "none", timeout_seconds=LOGS_SECONDS
    ),
    Check(
        logs.have_no_token, "tokens in the logs of the run", "none", timeout_seconds=LOGS_SECONDS
    ),
)
