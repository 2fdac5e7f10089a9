"""The parts of `make verify` that need no deployment."""

import time
from threading import Event
from typing import Any

import pytest

from ops.verify import cast, report
from ops.verify.check import Check, Door, Need, Unavailable, Unexpected, expect
from ops.verify.footprint import Footprint
from ops.verify.site import Site, Stopped
from ops.verify.verdict import Outcome, Verdict, judge


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
    local = outcome_of(lambda _: "", Site(**{**vars(site), "is_local": True}), not_local="no TLS")
    assert local == (Outcome.SKIPPED, "local: no TLS")
    assert outcome_of(lambda _: "came", site, not_local="no TLS") == (Outcome.OK, "came")


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
