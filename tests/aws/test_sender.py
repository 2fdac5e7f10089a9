"""Posting to many connections, against an HTTP server that misbehaves as it is told."""

import gc
import os
import signal
import ssl
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness import deployment
from harness.management_api import DROP, HANG, SLOW, ManagementApiStub
from vitrina import aws, sender
from vitrina.partitions import Subscription
from vitrina.sender import Post

HTTP2_STUB = Path(__file__).with_name("http2_stub.mjs")


def post(connection_id: str, *bodies: bytes) -> Post:
    return Post(Subscription("user#00", f"42#{connection_id}"), bodies or (b"{}",))


def ids(posts: list[Post]) -> list[str]:
    return sorted(post.subscription.connection_id for post in posts)


def test_everyone_receives_what_was_posted(management_api: ManagementApiStub) -> None:
    body = '{"event":"product.approved","data":"Красное платье"}'.encode()
    delivery = sender.post([post(f"c{n}", body) for n in range(200)], budget_seconds=10)
    assert delivery == sender.Delivery(sent=200)
    assert management_api.received == {f"c{n}": [body] for n in range(200)}


def test_a_gone_connection_is_reported_and_the_others_still_receive(
    management_api: ManagementApiStub,
) -> None:
    management_api.answers["gone"] = [410]
    delivery = sender.post([post("a"), post("gone"), post("b")], budget_seconds=10)
    assert (delivery.sent, ids(delivery.gone), delivery.failed) == (2, ["gone"], [])
    assert set(management_api.received) == {"a", "b"}


@pytest.mark.parametrize("answer", [429, 500, 502, 503, DROP], ids=str)
def test_what_may_pass_is_tried_again(management_api: ManagementApiStub, answer: int) -> None:
    management_api.answers["c"] = [answer, answer]
    assert sender.post([post("c")], budget_seconds=10).sent == 1
    assert len(management_api.requests) == 3


def test_what_does_not_pass_is_given_up_and_named(management_api: ManagementApiStub) -> None:
    management_api.answers = {"slow": [429] * 9, "broken": [500] * 9}
    management_api.answers |= {"strange": [400], "too-long": [413]}
    posts = [post(name) for name in ("slow", "broken", "strange", "too-long", "fine")]
    delivery = sender.post(posts, budget_seconds=30)
    assert delivery.sent == 1
    assert ids(delivery.throttled) == ["slow"]
    assert ids(delivery.failed) == ["broken"]
    assert ids(delivery.dropped) == ["strange", "too-long"]
    assert management_api.statuses[429] == delivery.throttles == 4
    assert management_api.statuses[400] == 1


def test_a_slow_client_does_not_delay_the_others(
    management_api: ManagementApiStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "POST_TIMEOUT_SECONDS", 1)
    management_api.answers = {"hanging": [HANG], "throttled": [429] * 9}
    posts = [post("hanging"), post("throttled"), *(post(f"c{n}") for n in range(300))]
    delivery = sender.post(posts, budget_seconds=20)
    assert delivery.sent == 301  # the hanging one answers at its second attempt
    assert ids(delivery.throttled) == ["throttled"]


def test_those_that_do_not_answer_are_given_up_soon_after_the_others_have(
    management_api: ManagementApiStub,
) -> None:
    management_api.answers = {"hanging": [HANG], "throttled": [429] * 99}
    posts = [post("hanging"), post("throttled"), *(post(f"c{n}") for n in range(300))]
    started = time.monotonic()
    delivery = sender.post(posts, budget_seconds=60, attempts=99, linger_seconds=0.1)
    assert time.monotonic() - started < sender.POST_TIMEOUT_SECONDS
    assert delivery.sent == 300
    assert sorted(ids(delivery.unreached)) == ["hanging", "throttled"]
    # Nothing of them comes up in the next run.
    management_api.answers.clear()
    assert sender.post([post("later")], budget_seconds=5) == sender.Delivery(sent=1)


def test_where_all_answer_slowly_nobody_is_given_up_for_it(
    management_api: ManagementApiStub,
) -> None:
    management_api.behave = lambda _: SLOW
    posts = [post(f"c{n}", b"1", b"2", b"3") for n in range(20)]
    delivery = sender.post(posts, budget_seconds=20, linger_seconds=0.01)
    assert (delivery.sent, delivery.unreached) == (20, [])


def test_the_budget_ends_everything(management_api: ManagementApiStub) -> None:
    management_api.answers = {f"c{n}": [HANG] for n in range(1000)}
    started = time.monotonic()
    delivery = sender.post([post(f"c{n}") for n in range(1000)], budget_seconds=1)
    assert time.monotonic() - started < 3
    assert (delivery.sent, len(delivery.failed)) == (0, sender.MAX_PARALLEL_POSTS)
    assert len(delivery.unsent) == 1000 - sender.MAX_PARALLEL_POSTS
    # Nothing of the run that was cut short comes up in the next one.
    management_api.answers.clear()
    assert sender.post([post("later")], budget_seconds=5) == sender.Delivery(sent=1)


def test_403_stops_everything_and_blames_no_connection(management_api: ManagementApiStub) -> None:
    management_api.answers = {f"c{n}": [403] for n in range(1000)}
    with pytest.raises(sender.PostsForbidden):
        sender.post([post(f"c{n}") for n in range(1000)], budget_seconds=10)
    assert len(management_api.requests) <= sender.MAX_PARALLEL_POSTS
    management_api.answers.clear()
    assert sender.post([post("later")], budget_seconds=5) == sender.Delivery(sent=1)


def test_bodies_for_one_connection_arrive_in_order_whatever_fails(
    management_api: ManagementApiStub,
) -> None:
    bodies = [str(n).encode() for n in range(20)]
    for n in range(20):
        management_api.answers[f"c{n}"] = [200, 429, 200, 500, 200, DROP]
    delivery = sender.post([post(f"c{n}", *bodies) for n in range(20)], budget_seconds=20)
    assert (delivery.sent, delivery.unreached) == (20, [])
    assert management_api.received == {f"c{n}": bodies for n in range(20)}


def test_no_more_is_posted_than_this_process_may(management_api: ManagementApiStub) -> None:
    started = time.monotonic()
    posts = [post(f"c{n}") for n in range(300)]
    assert sender.post(posts, budget_seconds=20, per_second=200).sent == 300
    # A quarter of a second's posts are free; the other 250 take 1.25 s.
    assert time.monotonic() - started > 1.15


def test_another_share_brings_no_posts_of_its_own(management_api: ManagementApiStub) -> None:
    started = time.monotonic()
    for per_second in (200, 210, 190, 200):
        posts = [post(f"c{per_second}-{n}") for n in range(75)]
        sender.post(posts, budget_seconds=20, per_second=per_second)
    assert time.monotonic() - started > 1.15


def test_a_share_that_is_used_up_is_not_given_again_to_the_next_run(
    management_api: ManagementApiStub,
) -> None:
    started = time.monotonic()
    for run in range(3):
        posts = [post(f"c{run}-{n}") for n in range(100)]
        assert sender.post(posts, budget_seconds=20, per_second=200).sent == 100
    assert time.monotonic() - started > 1.15


def test_credentials_are_asked_for_again_with_every_run(
    management_api: ManagementApiStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("FIRST", "SECOND"):
        credentials = ReadOnlyCredentials(key, "SECRET", None)
        monkeypatch.setattr(aws, "credentials", lambda found=credentials: found)
        sender.post([post("c")], budget_seconds=5)
    used = [request.headers["Authorization"] for request in management_api.requests]
    assert "FIRST" in used[0]
    assert "SECOND" in used[1]


def test_a_management_api_that_is_down_is_a_failure_and_not_an_exception(
    management_api: ManagementApiStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment.configure(monkeypatch, management_url="http://127.0.0.1:9/ws")
    delivery = sender.post([post("c")], budget_seconds=10)
    assert ids(delivery.failed) == ["c"]


def test_a_close_is_tried_again_until_the_budget_ends(management_api: ManagementApiStub) -> None:
    management_api.answers["c"] = [200, *[429] * 12, 200]
    closing = post("c", b"closing")._replace(closes=True)
    assert sender.post([closing], budget_seconds=10) == sender.Delivery(sent=1, throttles=12)
    assert (management_api.closed, management_api.received) == (["c"], {"c": [b"closing"]})


def test_a_close_that_does_not_pass_ends_with_the_budget(
    management_api: ManagementApiStub,
) -> None:
    management_api.behave = lambda _: 503
    closing = post("c", b"closing")._replace(closes=True)
    delivery = sender.post([closing], budget_seconds=0.5)
    assert ids(delivery.failed) == ["c"]
    assert [request.method for request in management_api.requests[:3]] == ["POST", "POST", "DELETE"]


def test_a_probe_asks_once_about_each_and_sends_nothing(management_api: ManagementApiStub) -> None:
    management_api.full = {"full"}
    management_api.closed = ["closed"]
    asked = [post(name).subscription for name in ("open", "full", "closed")]
    delivery = sender.probe(asked, budget_seconds=5)
    assert (delivery.sent, ids(delivery.gone), delivery.unreached) == (2, ["closed"], delivery.gone)
    management_api.throttled_share = 1
    delivery = sender.probe(asked, budget_seconds=5)
    assert ids(delivery.throttled) == ["closed", "full", "open"]
    assert {request.method for request in management_api.requests} == {"GET"}
    assert len(management_api.requests) == 6
    assert management_api.received == {}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with a key and a certificate for 127.0.0.1, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return file


# asyncio does not close the stub's side of a handshake that the client breaks off.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("is_trusted", [True, False])
def test_only_a_trusted_certificate_is_accepted(
    certificate: Path,
    management_api: ManagementApiStub,
    monkeypatch: pytest.MonkeyPatch,
    is_trusted: bool,
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    if is_trusted:
        monkeypatch.setattr(aws, "ca_bundle", lambda: str(certificate))
    with ManagementApiStub.running(tls) as stub:
        deployment.configure(monkeypatch, management_url=stub.url)
        delivery = sender.post([post("c")], budget_seconds=10)
    assert (delivery.sent, ids(delivery.failed)) == ((1, []) if is_trusted else (0, ["c"]))
    # The warning is of this test, and not of the one in which the garbage is collected.
    gc.collect()


def test_http2_is_used_where_it_is_offered_with_few_connections(
    certificate: Path, management_api: ManagementApiStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws, "ca_bundle", lambda: str(certificate))
    stub = subprocess.Popen(
        [Path(sys.executable).with_name("node"), HTTP2_STUB, certificate],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # to end it together with what this Node is wrapped in
    )
    with stub:
        assert stub.stdout
        try:
            port = stub.stdout.readline().strip()
            deployment.configure(monkeypatch, management_url=f"https://127.0.0.1:{port}/ws")
            delivery = sender.post([post(f"c{n}") for n in range(500)], budget_seconds=20)
        finally:
            os.killpg(stub.pid, signal.SIGKILL)
        connections = stub.stdout.read().splitlines()
    assert delivery.sent == 500
    assert set(connections) == {"connection h2"}
    assert len(connections) <= 4


@pytest.mark.parametrize("connection_id", ["L0SM9cOFvHcCIhw=", "a/b+c==", "plain-1_2"])
@pytest.mark.parametrize("session_token", [None, "a+session/token=="])
def test_the_signature_is_the_one_botocore_makes(
    management_api: ManagementApiStub,
    monkeypatch: pytest.MonkeyPatch,
    connection_id: str,
    session_token: str | None,
) -> None:
    credentials = ReadOnlyCredentials("AKID", "SECRET", session_token)
    monkeypatch.setattr(aws, "credentials", lambda: credentials)
    sender.post([post(connection_id, "тело".encode())], budget_seconds=5)

    request = management_api.requests[0]
    assert management_api.received == {connection_id: ["тело".encode()]}
    signed = request.headers["Authorization"].partition("SignedHeaders=")[2].partition(",")[0]
    again = AWSRequest(
        "POST",
        f"http://{urlsplit(management_api.url).netloc}{request.raw_path}",
        headers={name: request.headers[name] for name in signed.split(";")},
        data="тело".encode(),
    )
    again.context["timestamp"] = request.headers["X-Amz-Date"]
    signer = SigV4Auth(credentials, "execute-api", "eu-central-1")
    expected = signer.signature(
        signer.string_to_sign(again, signer.canonical_request(again)), again
    )
    assert request.headers["Authorization"].endswith(f"Signature={expected}")
