"""AWS Signature Version 4 of requests to the management API.

libcurl can sign too, but derives the day's key for every post; botocore takes longer to sign than
the rest of a post takes.
"""

import hmac
import time
from functools import lru_cache
from hashlib import sha256
from urllib.parse import quote, urlsplit

from vitrina.aws import Credentials

SERVICE = "execute-api"
CONTENT_TYPE = "application/json"


class Signer:
    """Signs posts for a few minutes: API Gateway accepts signatures up to five minutes old."""

    def __init__(self, credentials: Credentials, region: str, base_url: str) -> None:
        """`base_url` is the URL before `/@connections/…`, with the stage."""
        url = urlsplit(base_url)
        date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        scope = f"{date[:8]}/{region}/{SERVICE}/aws4_request"
        headers = {"content-type": CONTENT_TYPE, "host": url.netloc, "x-amz-date": date}
        if credentials.token:
            headers["x-amz-security-token"] = credentials.token
        names = ";".join(headers)
        lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
        self._before = f"{quote(url.path)}/%40connections/"
        self._after = f"\n\n{lines}\n{names}\n"
        self._to_sign = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n"
        self._key = _derive(str(credentials.secret_key), scope)
        self._headers = [f"{name}: {value}" for name, value in headers.items() if name != "host"]
        self._authorization = (
            f"Authorization: AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, "
            f"SignedHeaders={names}, Signature="
        )

    def headers(self, method: str, connection: str, body: bytes) -> list[str]:
        """Return the header lines to send with a body to `/@connections/{connection}`.

        `connection` is percent-encoded, as it is sent; what is signed is encoded once more.
        """
        again = connection.replace("%", "%25")  # the only character that encoding changes
        request = f"{method}\n{self._before}{again}{self._after}{_hash(body)}"
        to_sign = self._to_sign + sha256(request.encode()).hexdigest()
        signature = hmac.digest(self._key, to_sign.encode(), "sha256").hex()
        return [*self._headers, self._authorization + signature]


@lru_cache(maxsize=128)
def _hash(body: bytes) -> str:
    """Hash a body once for all its receivers."""
    return sha256(body).hexdigest()


def _derive(secret_key: str, scope: str) -> bytes:
    key = f"AWS4{secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
