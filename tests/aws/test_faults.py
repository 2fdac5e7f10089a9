"""Real posts to a management API that fails at random, while connections come and go."""

import json
from random import Random

import pytest

from functions.greet.handler import handler as greet
from functions.message.handler import handler as message
from harness.gateway_events import CONTEXT
from harness.management_api import DROP, HANG, SLOW, ManagementApiStub
from harness.tokens import token_of
from local.inbox import Inbox
from tests.aws.conftest import FanoutQueue, connect, stored_connections
from vitrina import auth, aws, connections, history, moderation, publishing, rounds, sender
from vitrina.channels import ClientType
from vitrina.partitions import Kind
from vitrina.products import Submission

# What the management API answers to one post of an open connection, and how often.
ANSWERS = {200: 60, 429: 12, 500: 10, DROP: 8, SLOW: 8, HANG: 2}


def greet_one(connection_id: str) -> None:
    key = connections.key(connection_id)
    [row] = aws.batch_get("connections", [key])
    greet({"Records": [{"dynamodb": {"NewImage": row}}]}, CONTEXT)


def read(inbox: Inbox, connection_id: str, stub: ManagementApiStub) -> None:
    """Let a client take what it has received, and say what it then has to say."""
    while frames := stub.received.pop(connection_id, []):
        for frame in frames:
            for answer in inbox.take(json.loads(frame)):
                context = {"connectionId": connection_id, "eventType": "MESSAGE"}
                message({"requestContext": context, "body": json.dumps(answer)}, CONTEXT)


@pytest.mark.parametrize("start", [1, 2])
def test_every_client_has_every_event_once_whatever_the_management_api_answers(
    management_api: ManagementApiStub,
    fanout_queue: FanoutQueue,
    monkeypatch: pytest.MonkeyPatch,
    start: int,
) -> None:
    monkeypatch.setattr(sender, "POST_TIMEOUT_SECONDS", 0.5)
    monkeypatch.setattr(sender, "FIRST_BACKOFF_SECONDS", 0.01)
    monkeypatch.setattr(connections, "MAX_HANDSHAKE_SECONDS", 0)
    monkeypatch.setattr(publishing, "FIRST_PAGE_ROWS", 3)
    monkeypatch.setattr(rounds, "SLICE_SECONDS", dict.fromkeys(Kind, 0.0025))
    random = Random(start)  # noqa: S311
    inboxes: dict[str, Inbox] = {}

    def behave(connection_id: str) -> int:
        if connection_id not in inboxes:
            return 410
        return random.choices(list(ANSWERS), list(ANSWERS.values()))[0]

    management_api.behave = behave
    shop = auth.verify(token_of(ClientType.SHOP))
    for n in range(30):
        if n % 3 == 0 or not inboxes:
            inboxes[f"a{n}"] = Inbox()
            connect(f"a{n}", ClientType.ADMIN, account_id=n + 1)
            greet_one(f"a{n}")
        elif n % 8 == 0:
            del inboxes[random.choice(list(inboxes))]  # without closing
        moderation.submit(Submission(product_name=f"{n}"), shop)
    assert fanout_queue.work() == []
    management_api.behave = lambda name: 200 if name in inboxes else 410
    moderation.submit(Submission(product_name="the last"), shop)
    assert fanout_queue.work() == []

    assert stored_connections() == set(inboxes)
    last = history.positions(["admin"])["admin"].seq
    for name, inbox in inboxes.items():
        read(inbox, name, management_api)
        seqs = [event["seq"] for event in inbox.events]
        assert seqs == list(range(last - len(seqs) + 1, last + 1))
        assert inbox.positions["admin"]["seq"] == last == 31
        assert not inbox.refetches
