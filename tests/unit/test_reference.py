"""The generated reference is fresh, complete and valid against its own schemas."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31

from infra.cdk.http_api import HTTP_ROUTES
from reference import asyncapi, files, openapi, schemas
from vitrina import errors, http_api, idempotency, responses
from vitrina.channels import CHANNELS
from vitrina.errors import KINDS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def http() -> dict[str, Any]:
    return openapi.document()


@pytest.fixture(scope="module")
def websocket() -> dict[str, Any]:
    return asyncapi.document()


def validator(document: dict[str, Any], schema: object) -> jsonschema_rs.Draft202012Validator:
    """Return a validator of a schema of a document, with the components of the document."""
    whole = {"allOf": [schema], "components": document["components"]}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


@pytest.mark.parametrize("path", files.generated(), ids=lambda path: path.name)
def test_the_committed_files_are_fresh(path: Path) -> None:
    wanted = files.generated()[path]
    assert path.read_text(encoding="utf-8") == wanted, "run `make reference`"


def test_generation_is_deterministic() -> None:
    assert files.generated() == files.generated()


@pytest.mark.parametrize("document", ["http", "websocket"])
def test_every_reference_has_a_target(document: str, request: pytest.FixtureRequest) -> None:
    found = request.getfixturevalue(document)
    assert all(schemas.resolve(found, name) for name in schemas.find_references(found))


@pytest.mark.parametrize("document", ["http", "websocket"])
def test_every_schema_is_a_json_schema(document: str, request: pytest.FixtureRequest) -> None:
    for schema in request.getfixturevalue(document)["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)


def test_the_openapi_document_is_valid_against_version_3_1(http: dict[str, Any]) -> None:
    assert http["openapi"].startswith("3.1.")
    assert jsonschema_rs.is_valid(OPENAPI_31, http)


def test_the_openapi_document_has_the_routes_of_the_stack(http: dict[str, Any]) -> None:
    described = {f"{method} {path}" for method, path, _ in openapi.operations(http)}
    assert described == set(HTTP_ROUTES)


def test_every_operation_has_an_id_a_summary_a_tag_and_its_errors(
    http: dict[str, Any],
) -> None:
    operations = [operation for _, _, operation in openapi.operations(http)]
    ids = [operation["operationId"] for operation in operations]
    assert len({*ids}) == len(ids)
    # Functions of handlers, which name a verb and what it is done to: `approve_product`.
    assert [each for each in ids if not re.fullmatch("[a-z]+([A-Z][a-z]+)+", each)] == []
    tags = {tag["name"] for tag in http["tags"]}
    for operation in operations:
        assert operation["summary"]
        assert operation["description"]
        assert {*operation["tags"]} <= tags
        for status, response in operation["responses"].items():
            if status in {"204", "304"}:
                assert "content" not in response
                continue
            is_success = status.startswith("2")
            media_type = "application/json" if is_success else http_api.PROBLEM_JSON
            assert set(response["content"]) == {media_type}


def test_security_follows_the_handlers_parameters(http: dict[str, Any]) -> None:
    needed: list[dict[str, list[str]]] = [{"bearerAuth": []}]
    security = {
        operation["operationId"]: operation.get("security")
        for _, _, operation in openapi.operations(http)
    }
    assert security["approveProduct"] == security["submitProduct"] == needed
    assert security["getProduct"] == [{}, *needed]
    assert security["logIn"] == security["checkHealth"] == []
    assert "401" not in http["paths"]["/health"]["get"]["responses"]
    assert "403" in http["paths"]["/api/v1/products"]["post"]["responses"]


def test_if_match_is_required_for_settings_only(http: dict[str, Any]) -> None:
    settings, product = (
        next(
            parameter
            for parameter in http["paths"][path]["put"]["parameters"]
            if parameter["name"] == "If-Match"
        )
        for path in ("/api/v1/admin/settings", "/api/v1/products/{product_id}")
    )
    assert (settings["required"], product["required"]) == (True, False)
    responses = http["paths"]["/api/v1/admin/settings"]["put"]["responses"]
    assert "version_missing" in openapi.codes(responses["428"])
    assert "ETag" in responses["200"]["headers"]


# They begin or end sessions; a session that nobody uses expires.
REPEATABLE = {
    "/api/v1/auth/login",
    "/api/v1/auth/refresh",
    "/api/v1/auth/logout",
    "/api/v1/admin/accounts/{account_id}/disconnect",
}


def test_every_post_takes_a_key_or_may_be_sent_again_without_one(http: dict[str, Any]) -> None:
    posts = {path: found for method, path, found in openapi.operations(http) if method == "POST"}
    with_key = {
        path
        for path, operation in posts.items()
        if idempotency.HEADER in {each["name"] for each in operation.get("parameters", ())}
    }
    assert with_key == posts.keys() - REPEATABLE
    for path in with_key:
        found = posts[path]
        assert {"request_running", "idempotency_key_reused"} <= {*openapi.error_codes(found)}
        [success] = (each for status, each in found["responses"].items() if status < "3")
        assert idempotency.REPLAYED_HEADER in success["headers"]
        assert "Retry-After" in found["responses"]["409"]["headers"]


def test_every_body_has_an_example_that_its_schema_allows(http: dict[str, Any]) -> None:
    checked = 0
    for _, _, operation in openapi.operations(http):
        for body in (operation.get("requestBody", {}), *operation["responses"].values()):
            if found := body.get("content", {}).get("application/json"):
                assert not list(validator(http, found["schema"]).iter_errors(found["example"]))
                checked += 1
    assert checked > len(HTTP_ROUTES)


def test_every_versioned_resource_may_be_asked_for_again(http: dict[str, Any]) -> None:
    reads = [
        operation
        for method, _, operation in openapi.operations(http)
        if method == "GET" and "ETag" in operation["responses"]["200"].get("headers", ())
    ]
    assert {operation["operationId"] for operation in reads} >= {"getProduct", "getSettings"}
    for operation in reads:
        assert "If-None-Match" in {each["name"] for each in operation["parameters"]}
        assert "ETag" in operation["responses"]["304"]["headers"]


def test_a_refusal_is_a_problem(http: dict[str, Any]) -> None:
    busy: Any = responses.refusals(["busy"])[503]
    check = validator(http, busy["content"][http_api.PROBLEM_JSON]["schema"])
    problem = {"type": "/problems#busy", "title": "Busy", "status": 503, "detail": "Busy."}
    assert check.is_valid(problem | {"code": "busy"})
    assert not check.is_valid(problem | {"code": "other"})
    assert not check.is_valid(problem | {"code": "busy", "more": 1})


def test_an_unknown_code_cannot_be_described() -> None:
    with pytest.raises(ValueError, match="no_such_code"):
        responses.describe("no_such_code")


def raised() -> Iterator[tuple[str, str]]:
    """Yield the class and the code of every problem that the code raises."""
    kinds = {kind.__name__ for kind in KINDS}
    for path in (*ROOT.glob("vitrina/*.py"), *ROOT.glob("functions/*/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id=kind), args=[ast.Constant(value=str(code)), *_]):
                    if kind in kinds:
                        yield kind, code


def test_every_code_is_listed_with_its_status_and_no_other() -> None:
    found = defaultdict(set, {"MethodNotAllowed": {"method_not_allowed"}})
    for kind, code in raised():
        found[kind].add(code)
    listed = {kind.__name__: {*kind.codes} for kind in KINDS}
    assert found == listed
    for problem in KINDS[1:]:
        assert re.search(rf"── {problem.__name__} +{problem.status}\n", errors.__doc__ or "")


def test_every_event_and_message_is_described(websocket: dict[str, Any]) -> None:
    assert websocket["asyncapi"] == "3.0.0"
    messages = websocket["components"]["messages"]
    published = {
        name: found["x-channels"] for name, found in messages.items() if "x-channels" in found
    }
    assert published == {name: list(channels) for name, channels in CHANNELS.items()}
    assert set(messages) == set(websocket["channels"]["notifications"]["messages"])
    for operation in websocket["operations"].values():
        assert operation["action"] in {"send", "receive"}
        assert operation["messages"]
    received = {name for name in websocket["operations"] if name.startswith("receive_")}
    assert received == {f"receive_{kind}" for kind in ("ping", "resume", "join", "leave", "auth")}
    assert all(found["summary"] for found in messages.values())


def test_every_example_is_valid_and_nothing_with_more_is(websocket: dict[str, Any]) -> None:
    for name, message in websocket["components"]["messages"].items():
        check = validator(websocket, message["payload"])
        [example] = message["examples"]
        assert not list(check.iter_errors(example["payload"])), name
        assert not check.is_valid(example["payload"] | {"more": 1}), name


def test_a_published_event_has_its_place_in_a_channel(websocket: dict[str, Any]) -> None:
    payload = websocket["components"]["schemas"]["ProductApproved"]
    assert {*payload["required"]} == {"event", "timestamp", "data", "id", "channel", "seq"}
