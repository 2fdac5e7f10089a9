"""botocore's descriptions of AWS, reduced to the operations that the functions call.

botocore looks for descriptions in the folders of its option `data_path` first, then in its own. Its
own descriptions of DynamoDB and of all endpoints are two megabytes of JSON; reading them takes a
sixth of a cold start.
"""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vitrina.aws import DESCRIPTIONS

# All operations that vitrina calls; tests compare them with the functions' grants.
OPERATIONS = {
    "dynamodb": (
        "BatchGetItem",
        "DeleteItem",
        "GetItem",
        "PutItem",
        "Query",
        "TransactWriteItems",
        "UpdateItem",
    ),
    "secretsmanager": ("GetSecretValue",),
    "sns": (
        "CreatePlatformEndpoint",
        "DeleteEndpoint",
        "GetEndpointAttributes",
        "Publish",
        "SetEndpointAttributes",
        "Subscribe",
        "Unsubscribe",
    ),
    "sqs": ("SendMessageBatch",),
}


def write(folder: Path) -> None:
    """Write the reduced descriptions into an installed folder, where its botocore reads them."""
    theirs, ours = folder / "botocore/data", folder / DESCRIPTIONS
    endpoints = json.loads((theirs / "endpoints.json").read_text())
    for partition in endpoints["partitions"]:
        services = partition["services"]
        partition["services"] = {name: services[name] for name in services if name in OPERATIONS}
    _write(ours / "endpoints.json", endpoints)
    for service, operations in OPERATIONS.items():
        # botocore uses the newest version of a service.
        [*_, newest] = sorted(theirs.glob(f"{service}/*/service-2.json.gz"))
        whole = json.loads(gzip.decompress(newest.read_bytes()), object_hook=_undocumented)
        _write(ours / service / newest.parent.name / "service-2.json", _part(whole, operations))


def _write(file: Path, description: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(description, separators=(",", ":")))


def _undocumented(description: dict[str, Any]) -> dict[str, Any]:
    """Drop the texts of one object; a member of a shape may be named so too."""
    if isinstance(description.get("documentation"), str):
        del description["documentation"]
    return description


def _part(service: Any, operations: tuple[str, ...]) -> Any:
    """Return a service with only these operations and the shapes that they use."""
    wanted = {name: service["operations"][name] for name in operations}
    found: dict[str, Any] = {}
    waiting = [*_shapes_in(wanted)]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = service["shapes"][name]
            waiting += _shapes_in(found[name])
    return service | {"operations": wanted, "shapes": found}


def _shapes_in(description: Any) -> Iterator[str]:
    """Yield the names in a description's `{"shape": "AttributeValue"}` entries, at any depth."""
    match description:
        case {"shape": str(name)}:
            yield name
        case dict():
            for value in description.values():
                yield from _shapes_in(value)
        case list():
            for value in description:
                yield from _shapes_in(value)
