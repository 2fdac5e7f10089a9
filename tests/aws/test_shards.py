"""The number of shards changes while clients are connected, without an effect on them.

Four steps, one deployment between two of them: `2`, `2,3`, `3,2` and, two hours later, `3`.
Functions are not updated at the same moment, so during a deployment each call may find the settings
of either step.
"""

import time
from collections.abc import Callable
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from harness import deployment
from harness.management_api import ManagementApiStub
from harness.tokens import token_of
from tests.aws.conftest import FanoutQueue, connect, stored
from tests.aws.test_connections import ids
from vitrina import (
    auth,
    aws,
    closing,
    connections,
    history,
    partitions,
    publishing,
    subscriptions,
)
from vitrina import config as deployed
from vitrina.channels import ClientType
from vitrina.connections import MAX_CONNECTION_SECONDS
from vitrina.events import Announcement, AnnouncementPublished
from vitrina.history import Change

SCOPES = ("user", "shop", "admin", "room")
GROWING = ((2,), (2, 3), (3, 2), (3,))
SHRINKING = ((3,), (3, 2), (2, 3), (2,))
NEIGHBOURS = [
    pair
    for steps in (GROWING, SHRINKING)
    for one, other in pairwise(steps)
    for pair in ((one, other), (other, one))
]

Deploy = Callable[[tuple[int, ...]], None]


@pytest.fixture
def deploy(cloud: None, monkeypatch: pytest.MonkeyPatch) -> Deploy:
    """Return a way to let the next call find these numbers of shards."""
    here = deployed.current()

    def deploy(counts: tuple[int, ...]) -> None:
        url = deployed.current().management_url
        numbers = {f"{scope}_shards": counts for scope in SCOPES}
        deployment.configure(monkeypatch, **here.model_dump() | {"management_url": url} | numbers)

    return deploy


def rows() -> list[dict[str, Any]]:
    return [aws.from_item(row) for row in aws.dynamodb().scan(TableName="connections")["Items"]]


def forget_the_shards_of(connection_id: str) -> None:
    """Make a connection's row one that the version before has written."""
    aws.dynamodb().update_item(
        TableName="connections",
        Key=aws.to_item(connections.key(connection_id)),
        UpdateExpression="REMOVE shards, room_shards",
    )


def announce(to: str) -> history.Publication:
    event = AnnouncementPublished(data=Announcement(to=to, title="x", text="x", admin_id=1))
    return history.commit([Change(None, [event])])


# A user whose place is another one.
MOVING = next(
    n for n in range(1, 9) if len({partitions.partition_of("user", str(n), c) for c in (2, 3)}) == 2
)


@pytest.mark.parametrize(("written", "read"), NEIGHBOURS)
def test_what_one_step_has_stored_another_finds_changes_and_removes(
    deploy: Deploy, written: tuple[int, ...], read: tuple[int, ...]
) -> None:
    deploy(written)
    for n in range(1, 9):
        connect(f"c{n}", ClientType.USER, account_id=n)
        connections.join(stored(f"c{n}"), f"room-{n}")
    deploy(read)
    everyone = [f"c{n}" for n in range(1, 9)]
    assert ids("user") == everyone
    assert subscriptions.count()[:2] == ({"user": 8, "shop": 0, "admin": 0}, 8)
    for n in range(1, 9):
        assert ids(f"user:{n}") == ids(f"room:room-{n}") == [f"c{n}"]
        assert (
            len(subscriptions.of_account(ClientType.USER, n, None))
            == len(subscriptions.of_identity(ClientType.USER, str(n)))
            == 1
        )
        connections.join(stored(f"c{n}"), "late")
        connections.leave(stored(f"c{n}"), f"room-{n}")
        connections.extend(stored(f"c{n}"), auth.verify(token_of(ClientType.USER, n)))
    assert ids("room:late") == ids("user") == everyone
    assert subscriptions.count().rooms == 1
    for connection_id in everyone:
        connections.forget(connection_id)
    assert rows() == []


@pytest.mark.parametrize(("publisher", "worker"), NEIGHBOURS)
def test_a_page_that_one_step_has_queued_another_posts(
    deploy: Deploy,
    management_api: ManagementApiStub,
    fanout_queue: FanoutQueue,
    monkeypatch: pytest.MonkeyPatch,
    publisher: tuple[int, ...],
    worker: tuple[int, ...],
) -> None:
    monkeypatch.setattr(publishing, "FIRST_PAGE_ROWS", 1)
    for counts in (publisher, worker):
        deploy(counts)
        for n in range(1, 9):
            connect(f"c{n}-{counts}", ClientType.USER, account_id=n)
    deploy(publisher)
    publishing.publish([announce("user")])
    publishing.publish([announce(f"user:{MOVING}")])
    deploy(worker)
    assert fanout_queue.work() == []
    reached = {client: len(bodies) for client, bodies in management_api.received.items()}
    assert len(reached) == 16
    assert sorted(reached.values()) == [1] * 14 + [2] * 2
    assert reached[f"c{MOVING}-{publisher}"] == reached[f"c{MOVING}-{worker}"] == 2


def test_without_the_step_between_a_function_that_lags_misses_connections(deploy: Deploy) -> None:
    """What the steps are for, and that the tests above can fail."""
    deploy((3, 2))
    connect("c1", ClientType.USER, account_id=MOVING)
    deploy((2,))
    assert ids(f"user:{MOVING}") == []


def test_a_row_of_the_version_before_is_of_the_first_number(deploy: Deploy) -> None:
    deploy((2,))
    for n in range(1, 9):
        connect(f"c{n}", ClientType.USER, account_id=n)
        connections.join(stored(f"c{n}"), "sale")
        forget_the_shards_of(f"c{n}")
    deploy((2, 3))
    for n in range(1, 9):
        connections.extend(stored(f"c{n}"), auth.verify(token_of(ClientType.USER, n)))
        connections.leave(stored(f"c{n}"), "sale")
    assert ids("user") == [f"c{n}" for n in range(1, 9)]
    assert ids("room:sale") == []
    for n in range(1, 9):
        connections.forget(f"c{n}")
    assert rows() == []


def test_a_room_with_members_in_two_places_is_one_room(deploy: Deploy) -> None:
    for counts in ((2, 3), (3, 2)):
        deploy(counts)
        connect(f"c-{counts}", ClientType.USER)
        connections.join(stored(f"c-{counts}"), "sale")
    assert len({row["partition"] for row in rows() if row["partition"].startswith("room#")}) == 2
    assert ids("room:sale") == ["c-(2, 3)", "c-(3, 2)"]
    assert subscriptions.count().rooms == 1


def test_a_number_of_shards_that_does_not_change_costs_no_read_and_no_write(
    cloud: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    queried: list[str] = []
    query, transact = aws.dynamodb().query, aws.dynamodb().transact_write_items

    def count_query(**request: Any) -> Any:
        queried.append(request["ExpressionAttributeValues"][":partition"]["S"])
        return query(**request)

    def count_writes(**request: Any) -> Any:
        assert len(request["TransactItems"]) == 2
        return transact(**request)

    monkeypatch.setattr(aws.dynamodb(), "query", count_query)
    monkeypatch.setattr(aws.dynamodb(), "transact_write_items", count_writes)
    connect("c1", ClientType.USER)
    for channel, reads in {"user": 4, "shop": 1, "user:1": 1, "room:sale": 1}.items():
        queried.clear()
        ids(channel)
        assert len(queried) == len(set(queried)) == reads


class Migration:
    """Clients that come, speak and go, and what must be found of them."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = time.time()
        self.open: dict[str, connections.Connection] = {}
        self.number = 0
        self._patch = patch
        clock = SimpleNamespace(time=lambda: self.now, monotonic=time.monotonic)
        for module in (connections, subscriptions):
            patch.setattr(module, "time", clock)
        patch.setattr(closing, "close", self._close)

    def deploy(self, counts: tuple[int, ...]) -> None:
        deployment.configure(self._patch, **{f"{scope}_shards": counts for scope in SCOPES})

    def let_time_pass(self, seconds: int) -> None:
        self.now += seconds
        self.open = {key: row for key, row in self.open.items() if row.expires_at > self.now}

    def connect(self, who: int, *, to_the_version_before: bool) -> None:
        self.number += 1
        connection_id = f"c{self.number}"
        connections.add(connection_id, self._identity(ACCOUNTS[who % 3]))
        if to_the_version_before:
            forget_the_shards_of(connection_id)
        row = connections.find(connection_id)
        assert row
        self.open[connection_id] = row

    def act(self, action: str, who: int) -> None:
        """Let one of the clients do something, or what happens to it."""
        connection_id, row = sorted(self.open.items())[who % len(self.open)]
        match action:
            case "join":
                connections.join(stored(connection_id), "sale")
                self.open[connection_id] = row._replace(rooms=frozenset({"sale"}))
            case "leave":
                connections.leave(stored(connection_id), "sale")
                self.open[connection_id] = row._replace(rooms=frozenset())
            case "extend":
                end = connections.extend(stored(connection_id), self._identity(row.account_id))
                self.open[connection_id] = row._replace(expires_at=end)
            case "go":
                connections.forget(connection_id)
                del self.open[connection_id]
            case "be disconnected":
                mine = [key for key, other in self.open.items() if other.identity == row.identity]
                assert closing.disconnect(row.client_type, row.account_id) == len(mine)
                for key in mine:
                    del self.open[key]

    def check(self) -> None:
        """Everything is found, once; and a connection's rows are those that it leads to."""
        assert ids("user") == sorted(self.open)
        for account_id in ACCOUNTS:
            mine = sorted(key for key, row in self.open.items() if row.account_id == account_id)
            assert ids(f"user:{account_id}") == mine
        in_the_room = sorted(key for key, row in self.open.items() if row.rooms)
        assert ids("room:sale") == in_the_room
        assert subscriptions.count()[:2] == (
            {"user": len(self.open), "shop": 0, "admin": 0},
            bool(in_the_room),
        )
        stored = {(row["partition"], row["member"]) for row in rows()}
        for connection_id in self.open:
            row = connections.find(connection_id)
            assert row
            assert set(row.subscriptions) == {
                key for key in stored if key[1].endswith(f"#{row[0]}")
            }

    def _identity(self, account_id: int) -> auth.Identity:
        claims = {"sub": account_id, "client_type": "user", "iat": self.now}
        return auth.Identity.model_validate(claims | {"exp": int(self.now) + 3600})

    def _close(self, closed: Any, *_: object, **__: object) -> int:
        for member in closed:
            connections.forget(member.connection_id)
        return len(closed)


# Their places are others of three shards than of two; so is the room's.
ACCOUNTS = [1, 4, 5]
ACTIONS = st.tuples(
    st.sampled_from(["connect"] * 4 + ["join"] * 3 + ["extend"] * 2)
    | st.sampled_from(["leave", "go", "be disconnected", "an hour passes"]),
    st.integers(0, 11),
    st.booleans(),
)
# What is in force: the settings of a step, or a deployment's, the old or the new.
STAGES = [pair for one, other in pairwise(GROWING) for pair in ((one, one), (one, other))]
STAGES.append((GROWING[-1], GROWING[-1]))


@settings(
    max_examples=settings().max_examples // 12,
    phases=(Phase.generate,),  # shrinking takes minutes
)
@given(
    st.booleans(),
    st.lists(st.lists(ACTIONS, min_size=6, max_size=6), min_size=7, max_size=7),
)
def test_whatever_clients_do_during_the_change_all_are_found_once(
    is_upgrade: bool, actions: list[list[tuple[str, int, bool]]]
) -> None:
    """`is_upgrade`: at first the version before is in force, which knew one number."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        world = Migration(patch)
        world.deploy(GROWING[0])
        deployment.create()
        for stage, ((old, new), doings) in enumerate(zip(STAGES, actions, strict=True)):
            if new == GROWING[3] != old or (is_upgrade and new == GROWING[2] != old):
                world.let_time_pass(MAX_CONNECTION_SECONDS)
            for action, who, is_updated in doings:
                world.deploy(new if is_updated else old)
                if action == "connect" or not world.open:
                    world.connect(who, to_the_version_before=is_upgrade and stage == 0)
                elif action == "an hour passes":
                    world.let_time_pass(3600)
                    closing.close_expired(time.monotonic() + 60)
                else:
                    world.act(action, who)
            for counts in {old, new}:
                world.deploy(counts)
                world.check()
