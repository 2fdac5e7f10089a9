"""As much of AWS's command line as the runbook uses, for the local cloud: no such program is here.

The real one pins botocore, as the emulator does, and would need an environment of its own.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

import boto3
import jmespath
from botocore import xform_name
from botocore.model import Shape

OWN = {"query", "output"}


def main(service: str, operation: str, *words: str) -> None:
    client = boto3.client(service)  # type: ignore[call-overload]
    name = operation.replace("-", "_")
    model = client.meta.service_model
    shape = model.operation_model(client.meta.method_to_api_mapping[name]).input_shape
    members = {xform_name(member, "-"): member for member in shape.members} if shape else {}
    members |= {"notification-endpoint": "Endpoint"}
    options = dict(_options(words))
    request = {
        members[option]: _value(shape.members[members[option]], given)
        for option, given in options.items()
        if option not in OWN
    }
    paginated = client.can_paginate(name)
    answer = (
        client.get_paginator(name).paginate(**request).build_full_result()
        if paginated
        else getattr(client, name)(**request)
    )
    found = jmespath.search(options["query"][0], answer) if "query" in options else answer
    is_text = options.get("output") == ["text"]
    sys.stdout.write(_text(found) if is_text else json.dumps(found, default=str))
    sys.stdout.write("\n")


def _options(words: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    option = ""
    given: list[str] = []
    for word in words:
        if word.startswith("--"):
            if option:
                yield option, given
            option, given = word.removeprefix("--"), []
        else:
            given.append(word)
    if option:
        yield option, given


def _value(shape: Shape, given: list[str]) -> Any:
    match shape.type_name:
        case "list":
            return given
        case "integer":
            return int(given[0])
        case _:
            return given[0]


def _text(found: Any) -> str:
    """Print as `--output text` does: a line for a row, tabs between its fields."""
    rows = found if isinstance(found, list) else [found]
    if not any(isinstance(row, list) for row in rows):
        rows = [rows]
    return "\n".join("\t".join(str(field) for field in row) for row in rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
