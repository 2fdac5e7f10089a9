"""The HTTP API against its own description, as schemathesis searches for a difference."""

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
from pydantic import TypeAdapter

from local.client import Api
from local.emulator import PASSWORD
from vitrina import accounts, aws, config
from vitrina.channels import ClientType

HERE = Path(__file__).parent
CONFIG = HERE / "schemathesis.toml"
SETTINGS = "/api/v1/admin/settings"

# Who may do most tries every boundary; the others search by chance.
PHASES = {
    "anonymous": ("fuzzing", 3),
    "user": ("fuzzing", 3),
    "shop": ("fuzzing", 4),
    "admin": ("examples,coverage", 4),
}
# What one answer gives to another request, as many roles: what a shop submits, somebody approves.
STATEFUL = ("stateful", 12)
# With what the search makes up by chance, 23 to 27 of 41.
MIN_REACHED_LINKS = 1 / 2

# Routes that may end the session of their token.
LEAVING = r"^/api/v1/(auth/logout|me/sessions.*)$"


@pytest.fixture(scope="module")
def strangers(api: Api) -> Iterator[dict[str, str]]:
    """Return tokens of accounts that no other test uses."""
    password = TypeAdapter(accounts.Password).validate_python(PASSWORD)
    for kind in ClientType:
        shop: tuple[Any, ...] = (11, "Another Store") if kind is ClientType.SHOP else ()
        accounts.create(f"{kind}@elsewhere.example", password, kind, *shop)
        accounts.create(f"leaving-{kind}@elsewhere.example", password, kind, *shop)
    yield {
        f"{who}{kind}": api.login(f"{who}{kind}@elsewhere.example", PASSWORD)
        for kind in ClientType
        for who in ("", "leaving-")
    }
    # So many logins failed that other tests could not log in for the first time.
    source = {"name": {"S": "login#source#127.0.0.1"}}
    aws.dynamodb().delete_item(TableName=config.current().platform_table, Key=source)


@pytest.fixture(scope="module")
def kept_settings(api: Api, strangers: dict[str, str]) -> Iterator[None]:
    """Put the platform's settings back as they were."""

    def read() -> requests.Response:
        return api.answer("GET", SETTINGS, strangers["admin"])

    before = read().json()
    yield
    put = {"json": before, "headers": {"If-Match": read().headers["ETag"]}}
    assert api.answer("PUT", SETTINGS, strangers["admin"], **put).status_code == 200


@pytest.fixture
def description(api: Api, tmp_path: Path) -> Path:
    file = tmp_path / "openapi.json"
    file.write_text(api.answer("GET", "/openapi.json").text, encoding="utf-8")
    return file


def search(url: str, description: Path, how: tuple[str, int], bearers: Mapping[str, str]) -> str:
    """Run schemathesis with tokens by the ids of operations; return what it printed."""
    phases, examples = how
    config = description.with_name("schemathesis.toml")
    config.write_text(CONFIG.read_text(encoding="utf-8") + _headers(bearers), encoding="utf-8")
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "schemathesis"),
            *("--config-file", str(config)),
            *("run", str(description), "--url", url, "--no-color", "--workers", "1"),
            *("--phases", phases, "--max-examples", str(examples), "--continue-on-failure"),
        ],
        env=os.environ | {"SCHEMATHESIS_HOOKS": "tests.emulator.schemathesis_hooks"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def _headers(bearers: Mapping[str, str]) -> str:
    """Return the part of the configuration that gives operations their tokens."""
    operations: defaultdict[str, list[str]] = defaultdict(list)
    for operation_id, token in bearers.items():
        operations[token].append(operation_id)
    return "".join(
        f"\n[[operations]]\ninclude-operation-id = {json.dumps(ids)}\n"
        f'headers = {{ Authorization = "Bearer {token}" }}\n'
        for token, ids in operations.items()
    )


def operations(description: Path) -> Iterator[tuple[str, Any]]:
    """Yield every operation, with `leaving-` if it may end the session of its token."""
    paths = json.loads(description.read_text(encoding="utf-8"))["paths"]
    for path, item in paths.items():
        for operation in item.values():
            yield "leaving-" if re.search(LEAVING, path) else "", operation


@pytest.mark.usefixtures("kept_settings")
@pytest.mark.parametrize("who", PHASES)
def test_nothing_differs_from_the_description(
    url: str, strangers: dict[str, str], description: Path, who: str
) -> None:
    bearers = {
        operation["operationId"]: strangers[f"{leaving}{who}"]
        for leaving, operation in operations(description)
        if who in strangers
    }
    search(url, description, PHASES[who], bearers)


@pytest.mark.usefixtures("kept_settings")
def test_nothing_differs_when_answers_lead_from_one_role_to_another(
    url: str, strangers: dict[str, str], description: Path
) -> None:
    bearers = {}
    for leaving, operation in operations(description):
        caller = operation["x-caller"]
        # A route of any client is called by a shop, which sees its own products too.
        kind = caller if caller in set(ClientType) else ClientType.SHOP
        if operation["security"]:
            bearers[operation["operationId"]] = strangers[f"{leaving}{kind}"]
    printed = search(url, description, STATEFUL, bearers)
    links = re.search(r"(\d+) covered / (\d+) selected", printed)
    assert links, printed
    sys.stdout.write(f"Links: {links[0]}\n")
    reached, selected = map(int, links.groups())
    assert reached >= MIN_REACHED_LINKS * selected, links[0]


def test_the_type_of_a_problem_leads_to_its_text_at_the_edge(url: str, api: Api) -> None:
    problem = api.answer("GET", "/no/such/route").json()
    where = urljoin(f"{url}/no/such/route", problem["type"])
    page = requests.get(where, timeout=30)
    assert (page.status_code, problem["code"]) == (200, "route_not_found")
    assert f'id="{where.partition("#")[2]}"' in page.text


def test_the_edge_serves_the_reference_with_its_policy(url: str) -> None:
    page = requests.get(f"{url}/docs", timeout=30)
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; ")
    script = requests.get(f"{url}/docs/swagger-ui.js", timeout=30)
    assert (page.status_code, script.status_code) == (200, 200)
    assert "SwaggerUIBundle" in script.text


def test_the_edge_serves_the_client_to_pages_without_a_bundler(url: str) -> None:
    script = requests.get(f"{url}/client/vitrina.js", timeout=30)
    assert script.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert re.search(r"export\{[^}]*\bVitrinaClient\b", script.text)


@pytest.mark.parametrize("path", ["/health", "/openapi.json", "/docs", "/problems"])
def test_uptime_monitors_ask_with_head(url: str, path: str) -> None:
    got, head = (requests.request(method, url + path, timeout=30) for method in ("GET", "HEAD"))
    assert (head.status_code, head.content) == (200, b"")
    for name in ("Content-Type", "Cache-Control"):
        assert head.headers[name] == got.headers[name]


@pytest.mark.parametrize("name", ["openapi", "asyncapi"])
def test_the_committed_description_is_served(api: Api, name: str) -> None:
    committed = HERE.parents[1] / f"functions/openapi/{name}.json"
    answer = api.answer("GET", f"/{name}.json")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.text == committed.read_text(encoding="utf-8")
