"""Push for tests: platform applications, phones, the queue, and what moto has published."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sns.models import sns_backends

from functions.push.handler import handler
from harness import deployment
from harness.environment import REGION
from harness.gateway_events import CONTEXT
from harness.tokens import token_of
from vitrina import auth, aws, config, devices
from vitrina.auth import Identity
from vitrina.channels import ClientType
from vitrina.devices import Registration

QUEUE = "https://sqs.eu-central-1.amazonaws.com/123456789012/push"
TOPICS = f"arn:aws:sns:{REGION}:{DEFAULT_ACCOUNT_ID}:Vitrina-test-push-"


def turn_on(patch: pytest.MonkeyPatch, **more: Any) -> None:
    """Create what the stack has with push, and configure this process for it."""
    sns = aws.sns()
    apps = [
        sns.create_platform_application(Name="vitrina", Platform=each, Attributes={})[
            "PlatformApplicationArn"
        ]
        for each in ("APNS", "APNS_SANDBOX", "GCM")
    ]
    for client_type in ClientType:
        sns.create_topic(Name=f"Vitrina-test-push-{client_type}")
    aws.sqs().create_queue(QueueName="push")
    deployment.configure(
        patch,
        push_apps=tuple(apps),
        push_queue_url=QUEUE,
        push_topics=TOPICS,
        pushes_per_second=100_000,
        **more,
    )


def registration(token: str = "a" * 64, **changes: Any) -> Registration:
    body = {"platform": "apns", "token": token, "locale": "ru-RU", "timezone": "Europe/Moscow"}
    return Registration.model_validate(body | {"app_version": "1.0"} | changes)


def identity_of(client_type: ClientType, account_id: int | None = None, **more: Any) -> Identity:
    if client_type is ClientType.SHOP and account_id:
        more = {"shop_id": account_id} | more
    return auth.read(token_of(client_type, account_id, **more))


def register(
    device_id: str, client_type: ClientType, account_id: int | None = None, **more: Any
) -> Identity:
    """Register a phone, whose token is made of its id, for an account's session."""
    identity = identity_of(client_type, account_id)
    devices.register(identity, device_id, registration(token_for(device_id), **more))
    return identity


def token_for(device_id: str) -> str:
    return device_id.encode().hex().ljust(64, "0")


def backend() -> Any:
    return sns_backends[DEFAULT_ACCOUNT_ID][REGION]


def endpoint_of(device_id: str) -> Any:
    [found] = [
        each
        for each in backend().platform_endpoints.values()
        if each.attributes["Token"] == token_for(device_id)
    ]
    return found


def pushed(device_id: str) -> list[dict[str, Any]]:
    """Return what a phone of APNs was sent, each id once, as the phone shows it."""
    found = [json.loads(text) for text in endpoint_of(device_id).messages.values()]
    return list({each["id"]: each for each in map(_apns, found)}.values())


def times_pushed(device_id: str) -> Counter[str]:
    """Return how often each id was sent to a phone, repeats too."""
    texts = endpoint_of(device_id).messages.values()
    return Counter(_apns(json.loads(text))["id"] for text in texts)


def announced(client_type: ClientType) -> list[dict[str, Any]]:
    """Return what was published to a type's topic."""
    sent = backend().topics[f"{TOPICS}{client_type}"].sent_notifications
    return [_apns(json.loads(message)) for _, message, *_ in sent]


def _apns(message: Any) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(message["APNS"])
    return shown


def work(limit: int = 10_000) -> list[str]:
    """Do all tasks of the queue, and those that they lead to; return the bodies that failed."""
    failed: list[str] = []
    for _ in range(limit):
        batch: Any = aws.sqs().receive_message(
            QueueUrl=config.current().push_queue_url, MaxNumberOfMessages=10, VisibilityTimeout=600
        )
        if not (messages := batch.get("Messages")):
            break
        records = [{"messageId": m["MessageId"], "body": m["Body"]} for m in messages]
        refused = handler({"Records": records}, CONTEXT)["batchItemFailures"]
        ids = {item["itemIdentifier"] for item in refused}
        failed += [m["Body"] for m in messages if m["MessageId"] in ids]
    return failed


@contextmanager
def without_delays() -> Iterator[list[int]]:
    """Make tasks visible at once; yields the delays that they would have had."""
    delays: list[int] = []
    send: Callable[..., Any] = aws.sqs().send_message_batch

    def now(**request: Any) -> Any:
        for entry in request["Entries"]:
            delays.append(entry["DelaySeconds"])
            entry["DelaySeconds"] = 0
        return send(**request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aws.sqs(), "send_message_batch", now)
        yield delays


class Crash(BaseException):
    """The process is gone: nothing catches this."""


@contextmanager
def dying_after(calls: int) -> Iterator[Callable[[], bool]]:
    """Let the process die after so many requests to AWS; yields whether it has."""
    left = [calls]

    def may_call() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Crash

    with pytest.MonkeyPatch.context() as patch:
        clients: list[Any] = [aws.dynamodb(), aws.sqs(), aws.sns()]
        for client in clients:
            send = client._make_api_call

            def call(operation: str, request: Any, send: Any = send) -> Any:
                may_call()
                return send(operation, request)

            patch.setattr(client, "_make_api_call", call)
        yield lambda: left[0] < 0
