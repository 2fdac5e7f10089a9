"""A deployed stack, as its clients and its operator reach it during a run."""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from threading import Event
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlencode, urlsplit

import boto3
import requests
from botocore.config import Config
from websockets.exceptions import InvalidStatus

from local.client import Api, Client
from ops.verify.expectation import Unavailable, Unexpected
from ops.verify.footprint import Footprint
from vitrina import aws, config
from vitrina.door import SECRET_HEADER

OPENS = 101
POLL_SECONDS = 0.05
AWS_POLL_SECONDS = 2.0
AWS_CONFIG = Config(
    connect_timeout=5, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 4}
)
PRODUCT = {"product_name": "Проверка", "price": 1}

# An access token begins with base64 of `{"`, as cursors do, and has dots, which ids and cursors do
# not have. The second pattern is a refresh token.
TOKEN = re.compile(r"eyJ[\w-]+(\.[\w-]+)+|[\w-]{22}\.[\w-]{43}\.[\w-]{22}")

Found = TypeVar("Found")


class Door(StrEnum):
    """The ways to the APIs."""

    EDGE = "edge"
    DIRECT = "direct"
    """The APIs' own URLs, with the edge's header where a stage is guarded."""
    AROUND = "around"
    """The APIs' own URLs, without it."""


class Stopped(Exception):
    """The run was interrupted; nothing new is begun."""


class DeployedFunction(NamedTuple):
    """One Lambda function of the stack."""

    name: str
    log_group: str
    configuration: dict[str, Any]


@dataclass(frozen=True)
class Site:
    stack: str
    outputs: dict[str, str]
    edge_url: str | None
    is_local: bool
    is_for_everyone: bool
    """Whether this run may publish to clients of others."""
    footprint: Footprint
    stop: Event
    door: Door = Door.DIRECT
    tokens: dict[str, str] = field(default_factory=dict)
    """By the names of the cast."""
    clients: list[Client] = field(default_factory=list)
    """Every WebSocket that was opened."""
    started_at: float = field(default_factory=time.time)
    aws_clients: dict[tuple[str, str], Any] = field(default_factory=dict)
    edge_header: dict[str, str] = field(default_factory=dict)
    """What the edge says, when it has been read."""

    def via(self, door: Door | None) -> "Site":
        """Return this site through a door; by default the edge, if there is one."""
        front = Door.EDGE if self.edge_url else Door.DIRECT
        return replace(self, door=door or front)

    @property
    def url(self) -> str:
        """The URL of the HTTP API."""
        if self.door is Door.EDGE and self.edge_url:
            return self.edge_url
        return self.outputs["HttpUrl"]

    @property
    def own_origin(self) -> str:
        """The origin of a page on the host that WebSockets connect to, as React Native sends it.

        API Gateway knows no other scheme than HTTPS; the local edge says that it has none.
        """
        url = urlsplit(self.websocket_url("user", {}))
        is_plain = self.door is Door.EDGE and url.scheme == "ws"
        return f"{'http' if is_plain else 'https'}://{url.netloc}"

    def websocket_url(self, client_type: str, query: Mapping[str, str]) -> str:
        if self.door is Door.EDGE and self.edge_url:
            address = f"{self.edge_url.replace('http', 'ws', 1)}/ws/{client_type}"
        else:
            address, query = self.outputs["WebSocketUrl"], {"client_type": client_type, **query}
        return f"{address}?{urlencode(query)}"

    def request(
        self, method: str, path: str, token: str | None = None, **more: Any
    ) -> requests.Response:
        """Return the response to a request; raises Stopped."""
        self.go_on()
        more["headers"] = more.get("headers", {}) | self._passport()
        api = Api(self.url)
        try:
            return api.answer(method, path, token, **more)
        finally:
            api.close()

    @contextmanager
    def connect(
        self, client_type: str, token: str = "", query: dict[str, str] | None = None, **options: Any
    ) -> Iterator[Client]:
        """Connect, wait for `connected`, and close at the end.

        `token` goes into the query, if it is given. Raises Stopped, or websockets' InvalidStatus.
        """
        self.go_on()
        query = ({"token": token} if token else {}) | (query or {})
        headers = options.pop("additional_headers", {}) | self._passport()
        client = Client(
            self.websocket_url(client_type, query), additional_headers=headers, **options
        )
        self.clients.append(client)
        try:
            # A greeting that comes after the end would write rows after their removal.
            client.wait_for("connected")
            yield client
        finally:
            client.close()

    def _passport(self) -> dict[str, str]:
        """Return the header that the direct door of a guarded stage asks for."""
        if self.door is not Door.DIRECT or not config.current().guarded:
            return {}
        if not self.edge_header:
            secret = self.aws("secretsmanager").get_secret_value(
                SecretId=self.outputs["EdgeSecret"]
            )
            values = json.loads(secret["SecretString"])
            self.edge_header[SECRET_HEADER] = values[self.outputs["EdgeValue"]]
        return self.edge_header

    def handshake(self, client_type: str, token: str = "", **options: Any) -> int:
        """Return the status of a handshake, 101 if it opens."""
        try:
            with self.connect(client_type, token, **options):
                return OPENS
        except InvalidStatus as refused:
            return refused.response.status_code

    def token(self, name: str) -> str:
        """Return the token of one of the cast.

        Raises Unavailable if another issuer makes the tokens, or Unexpected if login has failed.
        """
        if config.current().token_jwks_url:
            raise Unavailable(f"tokens come from {config.current().token_issuer}")
        if name not in self.tokens:
            raise Unexpected(f"login as {name} has failed")
        return self.tokens[name]

    def login(self, name: str) -> str:
        """Return the token of a new session of one of the cast; raises Unexpected."""
        return str(self.begin_session(name)["access_token"])

    def begin_session(self, name: str) -> Any:
        """Return what a login of one of the cast gives; raises Unexpected."""
        person = self.footprint.cast.people[name]
        body = {"email": person.email, "password": person.password}
        return successful(self.request("POST", "/api/v1/auth/login", json=body))

    def announce(self, to: str) -> list[str]:
        """Publish to a channel of this run; return the event's id."""
        body = {"to": to, "title": "Проверка", "text": "Проверка"}
        token = self.token("admin")
        done = self.request("POST", "/api/v1/admin/announcements", token, json=body)
        return list(successful(done)["event_ids"])

    def submit(self) -> int:
        """Submit a product; return its id. All administrators are notified.

        `submissions_per_shop_hour` may be less than a run needs, so it does not count here.
        """
        self.footprint.forget_submissions()
        done = self.request("POST", "/api/v1/products", self.token("shop"), json=PRODUCT)
        product_id = int(successful(done)["product_id"])
        self.footprint.product_ids.add(product_id)
        return product_id

    def approve(self, product_id: int) -> None:
        """Approve a product; everyone is notified."""
        path = f"/api/v1/admin/products/{product_id}/approve"
        successful(self.request("POST", path, self.token("admin")))

    def withdraw(self, product_id: int) -> None:
        """Withdraw a product that was approved as it was submitted; everyone is notified."""
        path = f"/api/v1/admin/products/{product_id}/withdraw"
        why = {"moderation_notes": "Проверка"}
        successful(self.request("POST", path, self.token("admin"), json=why))

    def channel_of(self, name: str) -> str:
        """Return the channel of one of the cast, a user or an administrator."""
        client_type = self.footprint.cast.people[name].client_type
        return f"{client_type}:{self.footprint.account_ids[name]}"

    def aws(self, service: str, region: str | None = None) -> Any:
        """Return a client of an AWS service, in the stack's region by default."""
        self.go_on()
        place = (service, region or aws.region())
        if place not in self.aws_clients:
            self.aws_clients[place] = _client(*place)
        return self.aws_clients[place]

    def resources(self, kind: str) -> dict[str, str]:
        """Return the physical ids of the stack's resources of a type, by their logical ids."""
        pages = self.aws("cloudformation").get_paginator("list_stack_resources")
        return {
            found["LogicalResourceId"]: found["PhysicalResourceId"]
            for page in pages.paginate(StackName=self.stack)
            for found in page["StackResourceSummaries"]
            if found["ResourceType"] == kind
        }

    def functions(self) -> dict[str, DeployedFunction]:
        """Return the stack's functions by the names of their folders."""
        found = {}
        for name in self.resources("AWS::Lambda::Function").values():
            configuration = self.aws("lambda").get_function_configuration(FunctionName=name)
            folder = configuration["Handler"].split(".")[1]
            found[folder] = DeployedFunction(
                name, configuration["LoggingConfig"]["LogGroup"], configuration
            )
        return found

    def until_aws_shows(
        self, read: Callable[[], Found | None], seconds: float, wanted: str
    ) -> Found:
        """Poll a service of AWS, which limits requests; raises Unexpected or Stopped."""
        pause = POLL_SECONDS if self.is_local else AWS_POLL_SECONDS
        return self.until(read, seconds, wanted, pause)

    def until(
        self,
        read: Callable[[], Found | None],
        seconds: float,
        wanted: str,
        pause: float = POLL_SECONDS,
    ) -> Found:
        """Poll until something is read; raises Unexpected after a time, or Stopped."""
        deadline = time.monotonic() + seconds
        while not (found := read()):
            if time.monotonic() > deadline:
                raise Unexpected(f"no {wanted} within {seconds:.0f} s")
            self.stop.wait(pause)
            self.go_on()
        return found

    def go_on(self) -> None:
        """Raise Stopped if the run was interrupted."""
        if self.stop.is_set():
            raise Stopped

    def redact(self, text: str) -> str:
        """Return a text without this run's tokens, passwords and the edge's header."""
        for value in self.edge_header.values():
            text = text.replace(value, "…")
        for person in self.footprint.cast.people.values():
            text = text.replace(person.password, "…")
        return TOKEN.sub("…", text)


def problem(answer: requests.Response) -> str:
    """Return the status and the code of a refusal, as `404 route_not_found`.

    Raises Unexpected if it is not `application/problem+json`.
    """
    kind = answer.headers.get("Content-Type", "no content type")
    if not kind.startswith("application/problem+json"):
        raise Unexpected(f"{answer.status_code}, {kind}")
    return f"{answer.status_code} {json.loads(answer.text).get('code')}"


def successful(answer: requests.Response) -> Any:
    """Return the body of a response; raises Unexpected if it is a refusal."""
    if not answer.ok:
        raise Unexpected(f"{answer.status_code} to {answer.request.method}: {answer.text[:200]}")
    return answer.json()


def _client(service: str, region: str) -> Any:
    client: Any = boto3.session.Session(region_name=region).client(
        service,  # type: ignore[call-overload]
        config=AWS_CONFIG,
    )
    return client
