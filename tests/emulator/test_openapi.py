"""The HTTP API against its own description, as schemathesis searches for a difference."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
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
SETTINGS = "/api/v1/admin/settings"

# Who may do most tries every boundary; the others search by chance. The stateful phase follows from
# what one answer gives to another request.
PHASES = {
    "anonymous": ("fuzzing", 3),
    "user": ("fuzzing", 3),
    "shop": ("fuzzing,stateful", 4),
    "admin": ("examples,coverage,stateful", 4),
}


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


def search(
    url: str, description: Path, who: str, token: str | None, *which: str
) -> "subprocess.CompletedProcess[str]":
    """Run schemathesis as one who has this token, on some of the operations."""
    phases, examples = PHASES[who]
    return subprocess.run(
        [
            str(Path(sys.executable).parent / "schemathesis"),
            *("--config-file", str(HERE / "schemathesis.toml")),
            *("run", str(description), "--url", url, "--no-color", "--workers", "1"),
            *("--phases", phases, "--max-examples", str(examples), "--continue-on-failure"),
            *(("--header", f"Authorization: Bearer {token}") if token else ()),
            *which,
        ],
        env=os.environ | {"SCHEMATHESIS_HOOKS": "tests.emulator.schemathesis_hooks"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.mark.usefixtures("kept_settings")
@pytest.mark.parametrize("who", PHASES)
def test_nothing_differs_from_the_description(
    url: str, api: Api, strangers: dict[str, str], tmp_path: Path, who: str
) -> None:
    description = tmp_path / "openapi.json"
    description.write_text(api.answer("GET", "/openapi.json").text, encoding="utf-8")
    done = search(url, description, who, strangers.get(who), "--exclude-path-regex", LEAVING)
    assert done.returncode == 0, done.stdout
    leaver = strangers.get(f"leaving-{who}")
    done = search(url, description, who, leaver, "--include-path-regex", LEAVING)
    assert done.returncode == 0, done.stdout


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
