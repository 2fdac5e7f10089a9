"""What the log and the metrics say of events, connections and requests."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from functions.approve.handler import handler as approve
from functions.connect.handler import handler as connect_handler
from functions.disconnect.handler import handler as disconnect
from functions.greet.handler import handler as greet
from functions.message.handler import handler as message
from functions.sweep.handler import handler as sweep
from harness import deployment
from harness.gateway_events import CONTEXT
from harness.management_api import ManagementApiStub
from harness.tokens import token_of
from infra.cdk.monitoring import QUERIES
from tests.aws.conftest import Clock, FanoutQueue, HttpCall, connect, store_users, unpublished
from tests.aws.test_publishing import approved
from vitrina import auth, aws, connections, history, moderation, posting, publishing, sample
from vitrina.channels import ClientType
from vitrina.history import Span
from vitrina.metrics import NAMESPACE, UNITS
from vitrina.partitions import MAX_LOGGED_IDS, Subscription
from vitrina.products import Submission
from vitrina.tasks import PostAgain

Lines = Callable[[], list[dict[str, Any]]]
Measured = Callable[[], dict[str, float]]


@pytest.fixture
def lines(logged: Callable[[], str]) -> Lines:
    return lambda: [json.loads(line) for line in logged().splitlines()]


@pytest.fixture
def measured(capsys: pytest.CaptureFixture[str]) -> Measured:
    """Return a way to read the sums of what was measured since; every line is checked."""

    def read() -> dict[str, float]:
        sums: dict[str, float] = {}
        for line in capsys.readouterr().out.splitlines():
            if "_aws" in line:
                found = json.loads(line)
                [directive] = found["_aws"]["CloudWatchMetrics"]
                assert directive["Namespace"] == NAMESPACE
                assert directive["Dimensions"] == [["service"]]
                assert found["service"] == "Vitrina-test"
                for metric in directive["Metrics"]:
                    assert metric["Unit"] == UNITS[metric["Name"]].value
                    sums[metric["Name"]] = sums.get(metric["Name"], 0) + sum(found[metric["Name"]])
        return sums

    return read


def websocket_event(connection_id: str, event_type: str, **more: Any) -> dict[str, Any]:
    context = {
        "connectionId": connection_id,
        "eventType": event_type,
        "requestId": f"api-{event_type}",
    }
    return {"requestContext": context, **more}


def test_a_publication_is_followed_from_the_commit_to_the_worker(
    management_api: ManagementApiStub,
    fanout_queue: FanoutQueue,
    lines: Lines,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publishing, "FIRST_PAGE_ROWS", 1)
    store_users(50)
    [published] = approved()
    publishing.publish([published])
    assert fanout_queue.work() == []
    [event_id] = {row.event_id for row in published.events}
    about = [line for line in lines() if event_id in line.get("event_ids", ())]
    assert {line["message"] for line in about} == {"committed", "posted", "broadcast"}
    [committed] = (line for line in about if line["message"] == "committed")
    assert committed["events"] == ["product.approved"]
    assert committed["positions"] == [f"{row.channel}/{row.seq}" for row in published.events]
    posted = [line for line in about if line["message"] == "posted"]
    # At once to nobody, then from the lanes of four partitions; nobody takes batches.
    assert [line["delivered"] > 0 for line in posted] == [False, *[True] * 4]
    assert all("user/1-1" in line["positions"] for line in posted)
    assert sum(line["delivered"] for line in posted) == 50


def test_the_saved_query_finds_what_was_posted_by_a_channel_and_a_number(
    management_api: ManagementApiStub, logged: Callable[[], str]
) -> None:
    """A round of many events names only ten of them."""
    store_users(1)
    publishing.publish([*approved(), *approved()])
    [pattern] = re.findall(r"parse @message /(.+)/$", QUERIES["position"], re.MULTILINE)
    pattern = pattern.replace("CHANNEL", "user").replace("(?<", "(?P<")
    [line] = [line for line in logged().splitlines() if re.search(pattern, line)]
    assert json.loads(line)["message"] == "posted"
    found = re.search(pattern, line)
    assert found
    assert found.groupdict() == {"firstSeq": "1", "lastSeq": "2"}


def test_many_who_have_left_are_counted_and_ten_of_them_named(
    management_api: ManagementApiStub, lines: Lines, at: Clock
) -> None:
    store_users(25)
    at(60)
    for n in range(25):
        management_api.answers[f"many{n}"] = [410]
    publishing.publish(approved())
    assert sum(len(json.dumps(line)) for line in lines()) < 10_000
    [posted] = (line for line in lines() if line["message"] == "posted")
    assert posted["gone"] == 25
    assert len(set(posted["gone_connection_ids"])) == MAX_LOGGED_IDS == 10


def test_posts_that_are_a_defect_are_one_line(
    management_api: ManagementApiStub, lines: Lines
) -> None:
    store_users(25)
    for n in range(25):
        management_api.answers[f"many{n}"] = [413]
    publishing.publish(approved())
    [refused] = (line for line in lines() if line["message"] == "posts refused")
    assert (refused["posts"], refused["statuses"], refused["level"]) == (25, [413], "ERROR")
    assert len(refused["connection_ids"]) == 10


def test_a_task_that_fails_says_of_which_channel_and_events_it_is(
    management_api: ManagementApiStub, fanout_queue: FanoutQueue, lines: Lines
) -> None:
    approved()
    connect("forbidden", ClientType.USER, 7)
    connection = connections.find("forbidden")
    assert connection
    management_api.answers["forbidden"] = [403]
    task = PostAgain(span=Span("user", 1, 1), members=[connection.subscription], attempt=6)
    fanout_queue.put(task.model_dump_json())
    assert len(fanout_queue.work()) == 1
    [failed] = (line for line in lines() if line["message"] == "task failed")
    assert (failed["channel"], failed["first"], failed["last"]) == ("user", 1, 1)
    assert failed["message_id"]


def test_connections_that_are_closed_for_being_slow_are_counted_and_named(
    management_api: ManagementApiStub, lines: Lines, measured: Measured
) -> None:
    [published] = approved()
    connect("deaf", ClientType.USER, 7)
    connection = connections.find("deaf")
    assert connection
    management_api.full = {"deaf"}
    measured()
    task = PostAgain(
        span=Span("user", 1, 1), members=[connection.subscription], attempt=5, counted=3
    )
    posting.post_again(task)
    [posted] = (line for line in lines() if line["message"] == "posted")
    assert posted["event_ids"] == [published.mark.event_id]
    assert posted["again_connection_ids"] == ["deaf"]
    [closed] = (line for line in lines() if line["message"] == "closed")
    assert (closed["reason"], closed["connection_ids"]) == ("too_slow", ["deaf"])
    found = measured()
    assert (found["SlowReaders"], found["Probes"]) == (1, 20)
    assert "ProbesThrottled" not in found


def test_what_happened_to_a_phone_is_in_every_line_about_it(
    management_api: ManagementApiStub, lines: Lines
) -> None:
    query = {"queryStringParameters": {"token": token_of(ClientType.USER)}}
    connect_handler(websocket_event("phone", "CONNECT", **query), CONTEXT)
    items = aws.dynamodb().scan(TableName="connections")["Items"]
    [item] = (item for item in items if item["partition"]["S"] == "connection#phone")
    greet({"Records": [{"dynamodb": {"NewImage": item}}]}, CONTEXT)
    positions = {"user": {"epoch": "x", "seq": 0}}
    for body in (
        {"type": "join", "room": "sale"},
        {"type": "leave", "room": "sale"},
        {"type": "auth", "token": token_of(ClientType.USER)},
        {"type": "resume", "positions": positions},
        {"type": "nonsense"},
    ):
        message(websocket_event("phone", "MESSAGE", body=json.dumps(body)), CONTEXT)
    disconnect(websocket_event("phone", "DISCONNECT"), CONTEXT)
    found = lines()
    assert [line["message"] for line in found] == [
        *("connected", "greeted", "joined", "left", "extended", "resumed", "refused"),
        "disconnected",
    ]
    greeted = found.pop(1)
    assert greeted["connection_ids"] == ["phone"]
    for line in found:
        assert line["connection_id"] == "phone"
        assert line["function_request_id"] == "request"
    assert [line["api_request_id"] for line in found] == [
        *("api-CONNECT", *["api-MESSAGE"] * 5, "api-DISCONNECT"),
    ]


def test_what_a_phone_does_is_logged_of_the_chosen_share_and_refusals_of_all(
    management_api: ManagementApiStub, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment.configure(
        monkeypatch, management_url=management_api.url, logged_connections_percent=50
    )
    ids = [f"phone{n}=" for n in range(8)]
    logged = [connection_id for connection_id in ids if sample.has(connection_id)]
    assert 0 < len(logged) < len(ids)
    query = {"queryStringParameters": {"token": token_of(ClientType.USER)}}
    for connection_id in ids:
        connect_handler(websocket_event(connection_id, "CONNECT", **query), CONTEXT)
    rows = aws.batch_get("connections", [connections.key(each) for each in ids])
    greet({"Records": [{"dynamodb": {"NewImage": row}} for row in rows]}, CONTEXT)
    for connection_id in ids:
        for body in ({"type": "join", "room": "sale"}, {"type": "nonsense"}):
            event = websocket_event(connection_id, "MESSAGE", body=json.dumps(body))
            message(event, CONTEXT)
        disconnect(websocket_event(connection_id, "DISCONNECT"), CONTEXT)
    connect_handler(websocket_event("stranger", "CONNECT"), CONTEXT)
    found = lines()
    for what in ("connected", "joined", "disconnected"):
        of_it = [line["connection_id"] for line in found if line["message"] == what]
        assert of_it == logged
    [greeted] = (line for line in found if line["message"] == "greeted")
    assert (greeted["rows"], sorted(greeted["connection_ids"])) == (8, logged)
    refused = [line["connection_id"] for line in found if line["message"] == "refused"]
    assert refused == [*ids, "stranger"]


def test_of_no_phone_and_of_every_phone_can_be_logged_what_it_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for percent, expected in ((0, 0), (100, 200)):
        deployment.configure(monkeypatch, logged_connections_percent=percent)
        assert sum(sample.has(f"L0SM9cOFvHcCIhw{n}=") for n in range(200)) == expected
    deployment.configure(monkeypatch, logged_connections_percent=10)
    assert 60 < sum(sample.has(f"L0SM9cOFvHcCIhw{n}=") for n in range(1000)) < 140


def test_what_changes_something_is_in_the_trail_and_an_event_is_followed_whatever_is_sampled(
    management_api: ManagementApiStub, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment.configure(
        monkeypatch, management_url=management_api.url, logged_connections_percent=0
    )
    with unpublished():
        product = moderation.submit(
            Submission(product_name="x"), auth.verify(token_of(ClientType.SHOP))
        )
    lines_before = len(lines())
    path = f"/api/v1/admin/products/{product.product_id}/approve"
    HttpCall(approve)("POST", path, token=token_of(ClientType.ADMIN))
    HttpCall(approve)("POST", path)
    found = lines()[lines_before:]
    assert [line["status"] for line in found if line["message"] == "audit"] == [200, 401]
    [committed] = (line for line in found if line["message"] == "committed")
    [event_id] = committed["event_ids"]
    followed = [line["message"] for line in found if event_id in json.dumps(line)]
    assert followed[0] == "committed"
    assert "broadcast" in followed


def test_a_refused_request_is_logged_with_its_code_and_its_id(cloud: None, lines: Lines) -> None:
    HttpCall(approve)("POST", "/api/v1/admin/products/1/approve")
    refused, audit = lines()
    assert (audit["message"], audit["status"]) == ("audit", 401)
    assert (refused["message"], refused["code"]) == ("refused", "token_missing")
    assert refused["api_request_id"] == "request"


def test_connections_are_counted_by_type_once_a_minute(
    management_api: ManagementApiStub, measured: Measured, at: Clock
) -> None:
    store_users(3)
    connect("old", ClientType.USER, 900)
    at(3700)
    connect("shop", ClientType.SHOP)
    sweep({}, CONTEXT)
    found = measured()
    assert found["UserConnections"] == 3
    assert (found["ShopConnections"], found["AdminConnections"]) == (1, 0)


def test_a_sweep_that_had_no_time_counts_nothing(
    management_api: ManagementApiStub, measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a count would look like half of the phones leaving."""
    store_users(3)
    monkeypatch.setattr("functions.sweep.handler.CLOSING_SECONDS", 0)
    sweep({}, CONTEXT)
    assert "UserConnections" not in measured()


def test_events_are_counted_when_they_are_committed_and_once(
    management_api: ManagementApiStub, measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    with unpublished():
        moderation.submit(Submission(product_name="x"), auth.verify(token_of(ClientType.SHOP)))
    monkeypatch.setattr(history, "mark_sent", lambda _: None)
    publishing.publish(approved())
    publishing.publish_unsent(-1, until=float("inf"))
    found = measured()
    assert (found["product.submitted"], found["product.approved"]) == (1, 1)
    # The submission was never published; the approval was, and is still in the outbox.
    assert found["LeftBehind"] == 2


def test_what_was_posted_and_what_it_took_is_measured(
    management_api: ManagementApiStub, measured: Measured
) -> None:
    store_users(3)
    rows = approved()
    management_api.answers["many0"] = [429]
    measured()
    publishing.publish(rows)
    found = measured()
    assert found.pop("CommitToLastPost") > 0
    assert found == {"Posted": 3, "Throttled": 1}


def test_pages_without_deliveries_have_no_delivery_time(
    management_api: ManagementApiStub, measured: Measured
) -> None:
    publishing.publish(approved())
    assert "CommitToLastPost" not in measured()


def test_tasks_that_come_too_late_are_counted(cloud: None, measured: Measured) -> None:
    members = [Subscription("user#03", "7#a")]
    posting.post_again(PostAgain(span=Span("user", 1, 1), members=members, attempt=1))
    assert measured() == {"ExpiredTasks": 1}


def test_refused_handshakes_and_recoveries_are_counted(
    management_api: ManagementApiStub, measured: Measured
) -> None:
    connect_handler(websocket_event("stranger", "CONNECT"), CONTEXT)
    assert measured() == {"HandshakesRefused": 1}
    connect("phone", ClientType.USER)
    head = history.positions(["user"])["user"]
    for epoch in (head.epoch, "another"):
        body = {"type": "resume", "positions": {"user": {"epoch": epoch, "seq": 0}}}
        message(websocket_event("phone", "MESSAGE", body=json.dumps(body)), CONTEXT)
    found = measured()
    assert (found["Recovered"], found["NotRecovered"]) == (1, 1)


def test_403_is_counted(management_api: ManagementApiStub, measured: Measured) -> None:
    store_users(1)
    management_api.answers["many0"] = [403]
    publishing.publish(approved())
    assert measured()["Refused"] == 1
