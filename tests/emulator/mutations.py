"""One fault for each check of `make verify`, which must make its line fail.

A check that only AWS can answer has doubles of AWS's answers too, with which it succeeds.
"""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
import requests

from local.client import Client
from ops.verify import delivery, functions, lists, logs, monitoring, resources
from ops.verify import site as sites
from ops.verify.site import Site
from vitrina import cors, tasks

Patch = pytest.MonkeyPatch
Apply = Callable[[Patch], None]


class Mutation(NamedTuple):
    broken: Apply
    healthy: Apply | None = None
    """The doubles with which a check succeeds that the local cloud cannot answer."""


# --- Tools ----------------------------------------------------------------------------------------


def handshake(status: int) -> Apply:
    return lambda patch: patch.setattr(Site, "handshake", lambda *_, **__: status)


def response(alter: Callable[[requests.Response], None]) -> Apply:
    """Alter every response of the HTTP API."""

    def apply(patch: Patch) -> None:
        request = Site.request

        def altered(self: Site, *arguments: Any, **more: Any) -> requests.Response:
            answer = request(self, *arguments, **more)
            alter(answer)
            return answer

        patch.setattr(Site, "request", altered)

    return apply


def status_code(code: int) -> Apply:
    return response(lambda answer: setattr(answer, "status_code", code))


def header(name: str, value: str | None) -> Apply:
    def alter(answer: requests.Response) -> None:
        answer.headers.pop(name, None)
        if value is not None:
            answer.headers[name] = value

    return response(alter)


def body(text: str) -> Apply:
    return response(lambda answer: setattr(answer, "_content", text.encode()))


class Socket:
    """A WebSocket whose frames are altered, or whose attributes are."""

    def __init__(self, real: Any, alter: Callable[[str], list[str]], **attributes: Any) -> None:
        self.real = real
        self.alter = alter
        self.attributes = attributes

    def __iter__(self) -> Iterator[str]:
        for text in self.real:
            yield from self.alter(text)

    def __getattr__(self, name: str) -> Any:
        return self.attributes[name] if name in self.attributes else getattr(self.real, name)


def frame(alter: Callable[[str], list[str]] = lambda text: [text], **attributes: Any) -> Apply:
    """Alter every frame that arrives."""

    class Altered(Client):
        def _read(self) -> None:
            self.socket = Socket(self.socket, alter, **attributes)
            super()._read()

    return lambda patch: patch.setattr(sites, "Client", Altered)


def replaced(old: str, new: str) -> Apply:
    return frame(lambda text: [text.replace(old, new)])


def followed(text: str) -> list[str]:
    """Let an empty frame follow every answer."""
    return [text] if '"connected"' in text else [text, ""]


followed_by_an_empty_frame = frame(followed)


def each(*several: Apply) -> Apply:
    def apply(patch: Patch) -> None:
        for one in several:
            one(patch)

    return apply


def setting(module: Any, name: str, value: object) -> Apply:
    return lambda patch: patch.setattr(module, name, value)


def aws(**answers: Any) -> Apply:
    """Make these operations of AWS return these answers; others reach the local cloud.

    An answer may be a function of the request.
    """

    def apply(patch: Patch) -> None:
        client = Site.aws

        class Fake:
            def __init__(self, real: Any) -> None:
                self.real = real

            def __getattr__(self, operation: str) -> Any:
                if operation not in answers:
                    return getattr(self.real, operation)
                return lambda **request: _answer(answers[operation], request)

            def get_paginator(self, operation: str) -> Any:
                if operation not in answers:
                    return self.real.get_paginator(operation)
                return Pages(answers[operation])

        patch.setattr(Site, "aws", lambda self, *place: Fake(client(self, *place)))

    return apply


class Pages:
    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def paginate(self, **request: Any) -> list[Any]:
        return [_answer(self.answer, request)]


def _answer(answer: Any, request: dict[str, Any]) -> Any:
    return answer(**request) if callable(answer) else answer


def lines(*texts: str) -> Apply:
    """Make every log group have these lines."""
    return aws(filter_log_events={"events": [{"message": text} for text in texts]})


def with_line(text: str) -> Apply:
    """Add a line to every log group."""

    def apply(patch: Patch) -> None:
        original = logs._lines

        def altered(*arguments: Any) -> Iterator[str]:
            yield from original(*arguments)
            yield text

        patch.setattr(logs, "_lines", altered)

    return apply


def at_once(*settings: tuple[Any, str]) -> Apply:
    """Give up after the first read."""
    return each(*(setting(module, name, 0) for module, name in settings))


# --- Doubles of what only AWS answers -------------------------------------------------------------


def _allow(answer: requests.Response) -> None:
    """Answer a preflight as the functions do."""
    answer.status_code = 204
    names = {name.lower(): value for name, value in answer.request.headers.items()}
    answer.headers.update(cors.headers(names))


def cached(*words: str) -> Apply:
    """Answer the requests one after the other from a cache, or not."""
    said = iter(words)
    return header_by(lambda _: next(said, words[-1]))


def header_by(choose: Callable[[requests.Response], str]) -> Apply:
    return response(lambda answer: answer.headers.update({"X-Cache": choose(answer)}))


def resource(kind: str, *names: str) -> Apply:
    """Make the stack have these resources of a type, and no others of it."""

    def apply(patch: Patch) -> None:
        real = Site.resources

        def altered(self: Site, wanted: str) -> dict[str, str]:
            return {name: name for name in names} if wanted == kind else real(self, wanted)

        patch.setattr(Site, "resources", altered)

    return apply


def configured(**more: Any) -> Apply:
    """Make every function's configuration have these values."""

    def apply(patch: Patch) -> None:
        real = Site.functions

        def altered(self: Site) -> Any:
            return {
                name: found._replace(configuration=found.configuration | more)
                for name, found in real(self).items()
            }

        patch.setattr(Site, "functions", altered)

    return apply


def alpn(protocol: str) -> Apply:
    class Context:
        def set_alpn_protocols(self, _: list[str]) -> None: ...

        @contextmanager
        def wrap_socket(self, *_: Any, **__: Any) -> Iterator[Any]:
            yield self

        def selected_alpn_protocol(self) -> str:
            return protocol

    def apply(patch: Patch) -> None:
        patch.setattr("ops.verify.resources.ssl.create_default_context", Context)
        patch.setattr("socket.create_connection", lambda *_: socket.socket())

    return apply


def security_headers(*names: str) -> Apply:
    return response(lambda answer: answer.headers.update(dict.fromkeys(names, "x")))


def throttle(rate: float) -> Apply:
    settings = {resources.LOGIN: {"ThrottlingRateLimit": rate}}
    return aws(get_stage={"RouteSettings": settings})


def web_acl(arn: str) -> Apply:
    outputs = [{"OutputKey": "WebAclArn", "OutputValue": "arn:of:the:firewall"}]
    return each(
        resource("AWS::CloudFront::Distribution", "EDGE"),
        aws(
            describe_stacks={"Stacks": [{"Outputs": outputs}]},
            get_distribution_config={"DistributionConfig": {"WebACLId": arn}},
        ),
    )


def queries(*ids: str) -> Apply:
    found = [{"queryDefinitionId": each_id, "name": each_id} for each_id in ids]
    return each(
        resource("AWS::Logs::QueryDefinition", "event", "errors"),
        aws(describe_query_definitions={"queryDefinitions": found}),
    )


def datapoints(*sums: float) -> Apply:
    return aws(get_metric_statistics={"Datapoints": [{"Sum": value} for value in sums]})


def alarms(state: str) -> Apply:
    def describe(AlarmNames: list[str], **_: Any) -> Any:  # noqa: N803 - AWS's name
        return {"MetricAlarms": [{"AlarmName": name, "StateValue": state} for name in AlarmNames]}

    return aws(describe_alarms=describe)


def traces(*found: str) -> Apply:
    return aws(get_trace_summaries={"TraceSummaries": [*found]})


def request_id(text: str) -> Apply:
    """Give responses an id, and every log the one `an-id`."""
    return each(header("apigw-requestid", text), lines("an-id"))


def _pong_for_error(text: str) -> str:
    return '{"event":"pong"}' if '"error"' in text else text


def _without_items(answer: requests.Response) -> None:
    if answer.request.method == "GET":
        answer._content = b'{"items": []}'


ERROR_LINE = json.dumps({"level": "ERROR", "message": "unhandled"})
TOKEN_LINE = json.dumps({"level": "INFO", "message": "eyJhbGciOiJIUzI1NiJ9.e30.x"})
ALLOW_ORIGIN = "Access-Control-Allow-Origin"

# --- The table ------------------------------------------------------------------------------------

MUTATIONS: dict[str, Mutation] = {
    "handshakes.without_a_token": Mutation(handshake(101)),
    "handshakes.with_a_bad_token": Mutation(handshake(500)),
    "handshakes.of_another_type": Mutation(handshake(101)),
    "handshakes.type_of_the_path": Mutation(handshake(101)),
    "handshakes.of_a_foreign_origin": Mutation(handshake(101)),
    "handshakes.of_its_own_origin": Mutation(handshake(403)),
    "handshakes.of_an_allowed_origin": Mutation(handshake(403)),
    "handshakes.token_in_the_query": Mutation(handshake(401)),
    "handshakes.token_in_the_header": Mutation(handshake(401)),
    "handshakes.token_in_the_subprotocol": Mutation(
        frame(subprotocol=None), healthy=frame(subprotocol="bearer")
    ),
    "guard.requests": Mutation(status_code(200)),
    "guard.handshakes": Mutation(handshake(101)),
    "frames.connected": Mutation(replaced('"positions":{"user":', '"positions":{"x":')),
    "frames.ping": Mutation(followed_by_an_empty_frame),
    # The local cloud asks the function, and its edge does not.
    "frames.ping_without_a_function": Mutation(
        followed_by_an_empty_frame, healthy=frame(lambda text: [_pong_for_error(text)])
    ),
    "frames.resume": Mutation(followed_by_an_empty_frame),
    "frames.join": Mutation(followed_by_an_empty_frame),
    "frames.leave": Mutation(replaced('"left"', '"joined"')),
    "frames.auth": Mutation(frame(lambda text: [text, '{"message": "Internal server error"}'])),
    "frames.auth_of_another": Mutation(replaced('"error"', '"authenticated"')),
    "frames.resume_of_another_channel": Mutation(replaced("channel_forbidden", "busy")),
    "frames.of_an_unknown_type": Mutation(followed_by_an_empty_frame),
    "frames.that_is_not_json": Mutation(followed_by_an_empty_frame),
    "frames.that_is_too_large": Mutation(replaced("message_too_large", "message_invalid")),
    "frames.that_is_binary": Mutation(followed_by_an_empty_frame),
    "frames.that_names_a_route": Mutation(followed_by_an_empty_frame),
    "delivery.of_the_greeting": Mutation(setting(delivery, "MAX_CONNECTED_SECONDS", 0)),
    "delivery.of_approvals": Mutation(
        each(setting(delivery, "APPROVALS", 2), setting(delivery, "MAX_WORST_SECONDS", 0))
    ),
    "delivery.of_missed_events": Mutation(replaced('"recovered":true', '"recovered":false')),
    "delivery.over_http": Mutation(body('{"position": {"epoch": "x", "seq": 0}, "events": []}')),
    "delivery.by_a_worker": Mutation(
        each(
            setting(tasks, "post_again", lambda *_: []),
            setting(delivery, "ARRIVAL_SECONDS", 1),
        )
    ),
    "tokens.wrong_password": Mutation(status_code(200)),
    "tokens.failed_logins": Mutation(header("Retry-After", None)),
    "tokens.refresh": Mutation(status_code(401)),
    "tokens.logout": Mutation(status_code(401)),
    "tokens.disconnected_account": Mutation(replaced("account_disconnected", "token_expired")),
    "responses.health": Mutation(status_code(503)),
    "responses.statistics": Mutation(body('{"total": 0}')),
    "push.registration": Mutation(status_code(200)),
    "responses.openapi": Mutation(body('{"openapi": "2.0"}')),
    "responses.asyncapi": Mutation(status_code(404)),
    "responses.token_in_a_request": Mutation(status_code(401)),
    "responses.unknown_route": Mutation(header("Content-Type", "text/html")),
    "responses.unknown_client_type": Mutation(status_code(403)),
    "responses.unknown_method": Mutation(header("Allow", None)),
    "responses.large_body": Mutation(status_code(500)),
    "responses.refusal_is_not_kept": Mutation(header("Age", "1")),
    "resources.security_headers": Mutation(
        header("X-Frame-Options", None), healthy=security_headers(*resources.SECURITY_HEADERS)
    ),
    "pages.console": Mutation(status_code(403)),
    "pages.console_headers": Mutation(header("Content-Security-Policy", "default-src *")),
    "pages.console_caching": Mutation(header("Cache-Control", "no-store")),
    "origins.preflights": Mutation(status_code(405), healthy=response(_allow)),
    "origins.foreign_preflight": Mutation(header(ALLOW_ORIGIN, "*"), healthy=response(_allow)),
    "origins.allowed_page": Mutation(header(ALLOW_ORIGIN, None)),
    "origins.foreign_page": Mutation(header(ALLOW_ORIGIN, "*")),
    "lists.are_shared": Mutation(
        cached("Miss from cloudfront"),
        # The edge drops the tokens; the local one forwards them, and they are refused.
        healthy=each(status_code(200), cached("Miss from cloudfront", "Hit from cloudfront")),
    ),
    "lists.stale_list_is_served": Mutation(
        cached("Miss from cloudfront"),
        healthy=each(
            setting(lists, "LIST_TTL_SECONDS", -1),
            cached("Miss from cloudfront", "Hit from cloudfront"),
        ),
    ),
    "lists.since_ahead_is_not_shared": Mutation(header("Cache-Control", "public, max-age=2")),
    "lists.since_is_not_older": Mutation(
        response(_without_items),
    ),
    "lists.others_are_not_shared": Mutation(header("X-Cache", "Hit from cloudfront")),
    "resources.secret": Mutation(aws(describe_secret={"ARN": "arn:of:another"})),
    "resources.login_throttle": Mutation(throttle(10_000), healthy=throttle(100)),
    "resources.http2": Mutation(alpn("http/1.1"), healthy=alpn("h2")),
    "resources.firewall": Mutation(web_acl(""), healthy=web_acl("arn:of:the:firewall")),
    "functions.have_the_layer": Mutation(
        configured(Layers=[]), healthy=configured(Layers=["keys"])
    ),
    "functions.each_responds": Mutation(
        each(at_once((monitoring, "METRIC_SECONDS")), datapoints()), healthy=datapoints(1)
    ),
    "functions.are_traced": Mutation(
        traces(), healthy=each(at_once((functions, "TRACE_SECONDS")), traces("a", "b"))
    ),
    "monitoring.alarms_exist": Mutation(aws(describe_alarms={"MetricAlarms": []})),
    "monitoring.dashboard": Mutation(aws(get_dashboard={"DashboardBody": "{}"})),
    "monitoring.saved_queries": Mutation(queries("event"), healthy=queries("event", "errors")),
    **{
        f"monitoring.{name}": Mutation(
            datapoints(),
            healthy=each(at_once((monitoring, "METRIC_SECONDS")), datapoints(1, 2)),
        )
        for name in ("metric_of_posts", "metric_of_connections", "metric_of_handshakes")
    },
    "monitoring.alarms_are_ok": Mutation(
        alarms("INSUFFICIENT_DATA"),
        healthy=each(at_once((monitoring, "ALARM_SECONDS")), alarms("OK")),
    ),
    "logs.request_id_of_a_function": Mutation(
        request_id("another"),
        healthy=each(at_once((logs, "INGESTION_SECONDS")), request_id("an-id")),
    ),
    "logs.request_id_of_the_access_log": Mutation(
        request_id("another"),
        healthy=each(
            at_once((logs, "INGESTION_SECONDS")),
            setting(logs, "_all_groups", lambda _: ["access"]),
            request_id("an-id"),
        ),
    ),
    "logs.cold_starts": Mutation(
        lines("REPORT RequestId: x Duration: 1.00 ms"),
        healthy=lines("REPORT RequestId: x Duration: 1.00 ms Init Duration: 712.50 ms"),
    ),
    "logs.have_no_error": Mutation(with_line(ERROR_LINE)),
    "logs.have_no_token": Mutation(with_line(TOKEN_LINE)),
}
