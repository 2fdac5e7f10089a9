"""The console's files, as the deployment has uploaded them and the edge serves them."""

import re

import pytest
import requests

from infra.console import HEADERS
from infra.upload import FOR_EVER

# A function may be started first, on a busy machine.
PATIENCE_SECONDS = 60


def ask(url: str, path: str, method: str = "GET", **headers: str) -> requests.Response:
    return requests.request(
        method, url + path, headers=headers, allow_redirects=False, timeout=PATIENCE_SECONDS
    )


def files(url: str) -> list[str]:
    """Return the paths of what the page loads."""
    return [
        f"/console/{name}" for name in re.findall(r'"(assets/[^"]+)"', ask(url, "/console/").text)
    ]


def test_the_page_is_revalidated_and_its_files_are_kept_for_ever(url: str) -> None:
    page = ask(url, "/console/", cookie="x=1")
    assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-cache")
    again = ask(url, "/console/?x=1", **{"If-None-Match": page.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    kinds = set()
    for path in files(url):
        file = ask(url, path)
        assert (file.status_code, file.headers["Cache-Control"]) == (200, FOR_EVER)
        kinds.add(file.headers["Content-Type"].partition(";")[0])
    assert kinds == {"text/javascript", "text/css", "image/svg+xml"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/console", 308),
        ("HEAD", "/console/", 200),
        ("POST", "/console/", 403),
        ("GET", "/console/nothing.js", 403),
        ("GET", "/console/../index.html", 403),
        ("GET", "/console/%2e%2e/console/index.html", 403),
        ("GET", "/console/queue", 403),
    ],
)
def test_whatever_is_answered_has_the_headers_of_the_console(
    url: str, method: str, path: str, status: int
) -> None:
    session = requests.Session()
    prepared = requests.Request(method, url).prepare()
    prepared.url = url + path  # as it is, with its dots
    answer = session.send(prepared, allow_redirects=False, timeout=PATIENCE_SECONDS)
    assert answer.status_code == status
    assert HEADERS.items() <= answer.headers.items()


def test_the_paths_of_the_apis_are_none_of_the_console(url: str) -> None:
    assert ask(url, "/consoles").json()["code"] == "route_not_found"
