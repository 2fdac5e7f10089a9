"""The console's files in their bucket, and the responses of CloudFront to requests for them."""

from typing import Any
from urllib.parse import unquote

from aiohttp import web
from botocore.exceptions import ClientError

from infra.console import HEADERS, PATH


def has(path: str) -> bool:
    """Return whether a path is the console's."""
    return path == PATH.rstrip("/") or path.startswith(PATH)


def respond(s3: Any, bucket: str, request: web.Request) -> web.Response:
    """Return the response to a request for a path of the console; `s3` is a client of S3.

    A file that there is not is forbidden, as the edge may not list the bucket.
    """
    path, _, _ = request.raw_path.partition("?")
    if path == PATH.rstrip("/"):
        return web.Response(status=308, headers={"Location": PATH} | HEADERS)
    if request.method not in {"GET", "HEAD"}:
        return web.Response(status=403, headers=HEADERS)
    key = unquote("/console/index.html" if path == PATH else path).removeprefix("/")
    try:
        found = s3.get_object(Bucket=bucket, Key=key)
    except ClientError:
        return web.Response(status=403, headers=HEADERS)
    kept = {"ETag": found["ETag"], "Cache-Control": found["CacheControl"]}
    if request.headers.get("If-None-Match", "").removeprefix("W/") == found["ETag"]:
        return web.Response(status=304, headers=kept | HEADERS)
    response = web.Response(
        body=found["Body"].read(), headers=kept | HEADERS | {"Content-Type": found["ContentType"]}
    )
    response.enable_compression()
    return response
