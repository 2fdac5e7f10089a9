"""The signature, against botocore's."""

from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from hypothesis import given, strategies

from vitrina.aws import Credentials
from vitrina.sigv4 import Signer

KEYS = strategies.text(strategies.characters(min_codepoint=33, max_codepoint=126), min_size=1)
CONNECTION_IDS = strategies.text("ABCxyz019-_=+/", min_size=1)
BASES = strategies.sampled_from(
    [
        "https://abc123.execute-api.eu-central-1.amazonaws.com/ws",
        "http://localhost:4566/_aws/execute-api/abc123/ws",
    ]
)


def botocores(
    credentials: Credentials, url: str, sent: dict[str, str], signed: list[str], body: bytes
) -> str:
    """Return the signature that botocore makes of the same request at the same moment."""
    headers = {name: sent[name] for name in signed if name != "host"}
    request = AWSRequest("POST", url, headers=headers, data=body)
    request.context["timestamp"] = sent["x-amz-date"]
    signer = SigV4Auth(credentials, "execute-api", "eu-central-1")
    return str(
        signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    )


@given(KEYS, KEYS, strategies.none() | KEYS, BASES, CONNECTION_IDS, strategies.binary())
def test_it_is_the_one_botocore_makes(
    access_key: str, secret_key: str, token: str | None, base: str, connection_id: str, body: bytes
) -> None:
    credentials = Credentials(access_key, secret_key, token)
    connection = quote(connection_id, safe="")
    lines = Signer(credentials, "eu-central-1", base).headers("POST", connection, body)
    sent = dict(line.split(": ", 1) for line in lines)
    names, _, signature = sent["Authorization"].partition("SignedHeaders=")[2].partition(", ")
    expected = botocores(
        credentials, f"{base}/@connections/{connection}", sent, names.split(";"), body
    )
    assert signature == f"Signature={expected}"
    assert ("x-amz-security-token" in names) == bool(token)


def test_a_body_is_part_of_what_is_signed() -> None:
    signer = Signer(Credentials("AKID", "SECRET", None), "eu-central-1", "https://x/ws")
    assert (
        signer.headers("POST", "c", b"1")
        == signer.headers("POST", "c", b"1")
        != signer.headers("POST", "c", b"2")
    )


@pytest.mark.parametrize("other", ["c%3D", "c%253D", "c"])
def test_a_connection_is_part_of_what_is_signed(other: str) -> None:
    signer = Signer(Credentials("AKID", "SECRET", None), "eu-central-1", "https://x/ws")
    assert signer.headers("POST", "L0SM9cOFvHcCIhw%3D", b"") != signer.headers("POST", other, b"")
