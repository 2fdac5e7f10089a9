"""Checks of a client's signatures, with botocore."""

import ssl
from collections.abc import Callable
from hashlib import sha256
from urllib.parse import urlsplit

from aiohttp.web import BaseRequest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from bench import stub
from bench.clients.load import BODY
from harness import environment
from harness.management_api import ManagementApiStub


def verify(post: Callable[[str], object]) -> int:
    """Let `post` send the body to a URL as often as it likes; return how many were signed right.

    Raises RuntimeError when a signature is wrong, or the body is not the one expected.
    """
    stub.certify()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(stub.CERTIFICATE, stub.KEY)
    with ManagementApiStub.running(tls) as checking:
        post(checking.url)
        for request in checking.requests:
            _check(request, urlsplit(checking.url).netloc)
    if any(body != BODY for bodies in checking.received.values() for body in bodies):
        raise RuntimeError("a body arrived that is not the one to be posted")
    return len(checking.requests)


def _check(request: BaseRequest, host: str) -> None:
    authorization = request.headers["Authorization"]
    names = authorization.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    url = f"https://{host}{request.raw_path}"
    headers = {name: request.headers[name] for name in names}
    again = AWSRequest("POST", url, headers=headers, data=BODY)
    again.context["timestamp"] = request.headers["X-Amz-Date"]
    if not authorization.endswith(f"Signature={_signature(again)}"):
        raise RuntimeError(f"botocore would sign this differently: {url} {authorization}")
    # botocore uses this header if it is present, so it is checked separately.
    body_hash = sha256(BODY).hexdigest()
    if request.headers.get("X-Amz-Content-Sha256", body_hash) != body_hash:
        raise RuntimeError(f"the signed hash is not that of the body: {url}")


def _signature(request: AWSRequest) -> str:
    credentials = Credentials(environment.ACCESS_KEY, environment.SECRET_KEY)
    signer = SigV4Auth(credentials, "execute-api", environment.REGION)
    to_sign = signer.string_to_sign(request, signer.canonical_request(request))
    return str(signer.signature(to_sign, request))
