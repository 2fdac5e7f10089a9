"""The function that puts the console's files into their bucket, when CloudFormation asks for it.

It runs in AWS Lambda with nothing of this project: the files are beside it, and the SDK is that of
Lambda's own runtime. docs/decisions/0045-the-deployment-uploads-the-console.md says why.
"""

import hashlib
import json
import urllib.request
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config

FOLDER = Path(__file__).parent / "console"
INDEX = "index.html"
PREFIX = "console/"

# The names of these files contain a hash of what is in them.
HASHED = "assets/"
FOR_EVER = "public, max-age=31536000, immutable"
REVALIDATED = "no-cache"

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}

ANSWER_SECONDS = 10


def handler(event: dict[str, Any], _context: object) -> None:
    """Do what CloudFormation asks of a custom resource, and tell it how that went.

    The physical id is the version. When it has changed, CloudFormation deletes the former one as
    soon as the whole stack is updated: until then the files of both are there.
    """
    bucket, version = event["ResourceProperties"]["Bucket"], digest()
    said = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    said |= {"PhysicalResourceId": version, "Status": "SUCCESS"}
    try:
        if event["RequestType"] == "Delete":
            said["PhysicalResourceId"] = event["PhysicalResourceId"]
            remove(bucket, all_of_them=said["PhysicalResourceId"] == version)
        else:
            put(bucket)
    except Exception as fault:  # noqa: BLE001 - without an answer CloudFormation waits
        said |= {"Status": "FAILED", "Reason": f"{type(fault).__name__}: {fault}"[:1000]}
    _answer(event["ResponseURL"], said)


def names() -> list[str]:
    """Return the names of the files, the page that loads the others last."""
    found = (path for path in FOLDER.rglob("*") if path.is_file())
    return sorted((path.relative_to(FOLDER).as_posix() for path in found), key=INDEX.__eq__)


def digest() -> str:
    """Return a hash of the files and of their names."""
    found = hashlib.sha256()
    for name in sorted(names()):
        content = (FOLDER / name).read_bytes()
        found.update(f"{name} {len(content)}\n".encode() + content)
    return found.hexdigest()[:16]


def put(bucket: str) -> None:
    """Upload every file, with its media type and with how long a browser may keep it."""
    for name in names():
        _s3().put_object(
            Bucket=bucket,
            Key=PREFIX + name,
            Body=(FOLDER / name).read_bytes(),
            ContentType=TYPES[Path(name).suffix],
            CacheControl=FOR_EVER if name.startswith(HASHED) else REVALIDATED,
        )


def remove(bucket: str, *, all_of_them: bool) -> None:
    """Remove the files of other versions, or all of them, so that the bucket can be deleted."""
    kept = set() if all_of_them else {PREFIX + name for name in names()}
    pages = _s3().get_paginator("list_objects_v2").paginate(Bucket=bucket)
    for key in [found["Key"] for page in pages for found in page.get("Contents", [])]:
        if key not in kept:
            _s3().delete_object(Bucket=bucket, Key=key)


@cache
def _s3() -> Any:
    # The local cloud has no host for each bucket.
    config = Config(s3={"addressing_style": "path"})
    return botocore.session.get_session().create_client("s3", config=config)


def _answer(url: str, said: dict[str, str]) -> None:
    request = urllib.request.Request(  # noqa: S310 - CloudFormation's own
        url, json.dumps(said).encode(), {"Content-Type": ""}, method="PUT"
    )
    with urllib.request.urlopen(request, timeout=ANSWER_SECONDS):  # noqa: S310
        pass
