"""The parts of `make verify` that need no deployment."""

import json
import time
from dataclasses import replace
from threading import Event
from typing import Any
from unittest.mock import Mock

import jwt
import pytest

from harness import deployment
from harness.tokens import claims
from ops.verify import cast, delivery, lists, report
from ops.verify.check import Check, Need
from ops.verify.expectation import Unavailable, Unexpected, expect
from ops.verify.footprint import Footprint
from ops.verify.site import Door, Site, Stopped
from ops.verify.table import CHECKS, EDGE, EVERYONE
from ops.verify.verdict import Outcome, Verdict, judge, reason_to_skip
from vitrina import aws, refresh_tokens
from vitrina.door import SECRET_HEADER


@pytest.fixture
def site() -> Site:
    return Site(
        stack="Vitrina-test",
        outputs={"WebSocketUrl": "wss://ws.example/ws", "HttpUrl": "https://http.example"},
        edge_url="https://edge.example",
        is_local=False,
        is_for_everyone=False,
        footprint=Footprint(cast.choose(), {}),
        stop=Event(),
    )


def outcome_of(run: Any, site: Site, **more: Any) -> tuple[Outcome, str]:
    verdict = judge(Check(run, "what", "expected", **more), site, [])
    return verdict.outcome, verdict.came


def raising(error: Exception) -> Any:
    def run(_site: Site) -> str:
        raise error

    return run


def test_what_a_check_returns_and_raises_is_its_verdict(site: Site) -> None:
    assert outcome_of(lambda _: "came", site) == (Outcome.OK, "came")
    assert outcome_of(raising(Unexpected("502")), site) == (Outcome.FAILED, "502")
    assert outcome_of(raising(KeyError("x")), site) == (Outcome.FAILED, "KeyError: 'x'")
    assert outcome_of(raising(Unavailable("why")), site) == (Outcome.SKIPPED, "why")


def test_a_check_that_hangs_fails_in_its_time(site: Site) -> None:
    release = Event()

    def hang(_site: Site) -> str:
        release.wait(10)
        return ""

    begun = time.monotonic()
    assert outcome_of(hang, site, timeout_seconds=0.1) == (Outcome.FAILED, "nothing within 0.1 s")
    assert time.monotonic() - begun < 5
    release.set()


def test_a_check_that_the_deployment_cannot_answer_is_skipped_with_the_reason(site: Site) -> None:
    need = Need(lambda _: False, "the edge is off")
    assert outcome_of(lambda _: "", site, needs=(need,)) == (Outcome.SKIPPED, "the edge is off")
    local = outcome_of(lambda _: "", replace(site, is_local=True), not_local="no TLS")
    assert local == (Outcome.SKIPPED, "local: no TLS")
    assert outcome_of(lambda _: "came", site, not_local="no TLS") == (Outcome.OK, "came")


def test_without_an_edge_its_checks_are_skipped_and_the_others_go_directly(site: Site) -> None:
    direct = replace(site, edge_url=None)
    assert direct.via(None).url == "https://http.example"
    for check in CHECKS:
        is_skipped = check.door is Door.EDGE
        assert (EDGE in check.needs) is is_skipped
        if is_skipped:
            assert reason_to_skip(check, direct) == EDGE.otherwise


def test_nobody_elses_client_is_notified_unless_everyone_is_asked_for(site: Site) -> None:
    site.footprint.others = 1
    publishing = [check for check in CHECKS if EVERYONE in check.needs]
    assert {check.run for check in publishing} == {
        delivery.of_approvals,
        lists.since_is_not_older,
    }
    for check in publishing:
        assert reason_to_skip(check, site) == EVERYONE.otherwise
        assert reason_to_skip(check, replace(site, is_for_everyone=True)) == ""


def test_an_interrupted_run_begins_nothing_new(site: Site) -> None:
    site.stop.set()
    with pytest.raises(Stopped):
        site.request("GET", "/health")
    with pytest.raises(Stopped):
        outcome_of(lambda _: time.sleep(1), site)


def test_tokens_and_passwords_are_in_no_verdict(site: Site) -> None:
    password = site.footprint.cast.people["user"].password
    _, came = outcome_of(raising(ValueError(f"?token=eyJh.eyJi.c-_d&p={password}\nx")), site)
    assert came == "ValueError: ?token=…&p=… x"


def test_tokens_of_both_kinds_are_found_among_random_ids(site: Site) -> None:
    access_token, refresh_token = jwt.encode(claims(), "x" * 64), refresh_tokens.new("user:7")
    text = f"{access_token} {refresh_token}"
    assert site.redact(text) == "… user:7.…"
    # A session, a connection, and a cursor: base64 of JSON.
    ids = "AMeyJhbiDxlAEAfbsQBIYC L0SeyJOFvHcCIhw= eyJwcm9kdWN0X2lkIjozfQ"
    assert site.redact(ids) == ids


@pytest.mark.parametrize(
    ("door", "http", "websocket", "origin"),
    [
        (
            None,
            "https://edge.example",
            "wss://edge.example/ws/shop?token=t",
            "https://edge.example",
        ),
        (
            Door.DIRECT,
            "https://http.example",
            "wss://ws.example/ws?client_type=shop&token=t",
            "https://ws.example",
        ),
    ],
)
def test_a_door_has_its_urls(
    site: Site, door: Door | None, http: str, websocket: str, origin: str
) -> None:
    through = site.via(door)
    assert through.url == http
    assert through.websocket_url("shop", {"token": "t"}) == websocket
    assert through.own_origin == origin


def test_only_what_was_expected_comes_back() -> None:
    assert expect(404, 403, 404) == "404"
    with pytest.raises(Unexpected, match="502"):
        expect(502, 404)


def run(_site: Site) -> str:
    return ""


VERDICTS = [
    Verdict(Check(run, "a", "401"), Outcome.OK, "401", 0.25),
    Verdict(Check(run, "b", "x" * 60, Door.EDGE), Outcome.FAILED, "y" * 99, 12),
    Verdict(Check(run, "c", "1"), Outcome.SKIPPED, "why"),
]


def test_the_table_is_aligned_and_cut() -> None:
    header, ok, failed, skipped = report.table(VERDICTS).splitlines()
    assert header.split("  ")[0] == "verdict"
    places = [header.index(name) for name in report.HEADERS[:-1]]
    assert [ok.index(text) for text in ("ok", "a ", "401")] == places[:3]
    assert [failed.index(text) for text in ("FAILED", "b (edge)", "xx", "yy")] == places
    assert skipped.index("why") == places[3]
    assert len(header) == len(ok) == len(failed)
    assert failed.endswith(f"{'x' * 31}…  {'y' * 43}…  12.0")


def test_failures_are_repeated_in_full() -> None:
    [failure] = report.failures(VERDICTS)
    assert "x" * 60 in failure
    assert "y" * 99 in failure
    assert report.summary(VERDICTS, 3.4) == "1 ok, 1 FAILED, 1 skipped, in 3 s"


def test_a_cast_is_of_nobody_and_never_the_same() -> None:
    one, other = cast.choose(), cast.choose()
    emails = {person.email for each in (one, other) for person in each.people.values()}
    assert len(emails) == 8
    assert all(email.endswith("@example.invalid") for email in emails)
    assert one.shop_id != other.shop_id


@pytest.mark.parametrize("is_guarded", [True, False])
def test_only_the_direct_door_of_a_guarded_stage_shows_what_the_edge_shows(
    site: Site, monkeypatch: pytest.MonkeyPatch, *, is_guarded: bool
) -> None:
    deployment.configure(monkeypatch, guarded=is_guarded)
    found = {"SecretString": json.dumps({"first": "one", "second": "two"})}
    client = Mock(get_secret_value=Mock(return_value=found))
    site = replace(site, outputs=site.outputs | {"EdgeSecret": "arn", "EdgeValue": "second"})
    site.aws_clients["secretsmanager", aws.region()] = client
    shown = {door: site.via(door)._passport() for door in Door}
    expected = {SECRET_HEADER: "two"} if is_guarded else {}
    assert shown == {Door.EDGE: {}, Door.DIRECT: expected, Door.AROUND: {}}
    assert site.redact("403 two") == ("403 …" if is_guarded else "403 two")
