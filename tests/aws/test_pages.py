"""The pages for people: the reference at /docs, and the texts of problems."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from functions.openapi import handler as openapi
from functions.openapi.handler import PARTS, handler
from harness import gateway_events
from harness.gateway_events import CONTEXT
from tests.aws.conftest import HttpCall
from vitrina.errors import KINDS, Problem

pytestmark = pytest.mark.usefixtures("cloud")

call = HttpCall(handler)


class Text(NamedTuple):
    headers: dict[str, str]
    body: str


class Page(HTMLParser):
    """What a page loads, and where its anchors are."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.inline: list[str] = []
        self._within = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self._within = tag
        self.anchors.add(given.get("id") or "")
        self.loads += [given[n] or "" for n in ("src", "href") if n in given and tag != "a"]
        self.inline += [name for name in given if name == "style" or name.startswith("on")]

    def handle_data(self, text: str) -> None:
        if self._within in {"script", "style"} and text.strip():
            self.inline.append(text)


def read(path: str) -> Text:
    answer = handler(gateway_events.http("GET", path), CONTEXT)
    assert answer["statusCode"] == 200
    return Text(answer["headers"], answer["body"])


@pytest.mark.parametrize("path", ["/docs", "/problems"])
def test_a_page_loads_its_own_parts_and_nothing_else(path: str) -> None:
    answer = read(path)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    page = Page(answer.body)
    # Its policy refuses inline scripts and styles.
    assert not page.inline
    for part in page.loads:
        if not part.startswith("data:"):
            assert read(part).headers["Cache-Control"] == "public, max-age=3600"


@pytest.mark.parametrize("path", ["/docs", "/problems"])
def test_a_page_says_what_it_may_load(path: str) -> None:
    policy = read(path).headers["Content-Security-Policy"].split("; ")
    assert policy[0] == "default-src 'none'"
    sources = [part.partition(" ")[2] for part in policy]
    assert {*sources} == {"'none'", "'self'", "'self' data:"}


@pytest.mark.parametrize("name", PARTS)
def test_a_part_has_the_media_type_that_browsers_require(name: str) -> None:
    expected = {"js": "text/javascript", "css": "text/css"}[name.rpartition(".")[2]]
    assert read(f"/docs/{name}").headers["Content-Type"] == f"{expected}; charset=utf-8"


def test_the_reference_reads_the_description_that_is_served() -> None:
    assert "url: '/openapi.json'" in read("/docs/docs.js").body
    assert not re.search("https?:", read("/docs/docs.js").body)


@pytest.mark.parametrize("path", ["/docs/x.js", "/docs/..%2Fhandler.py", "/docs/", "/docs/a/b"])
def test_no_other_file_is_served(path: str) -> None:
    answer = call("GET", path)
    assert (answer.status, answer.body["code"]) == (404, "route_not_found")


def test_the_client_is_kept_for_an_hour_and_asked_for_again_by_its_tag(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bundle = tmp_path / "vitrina.js"
    bundle.write_text("export const café = 1;", encoding="utf-8")
    monkeypatch.setattr(openapi, "CLIENT", bundle)
    answer = read("/client/vitrina.js")
    assert answer.body == bundle.read_text(encoding="utf-8")
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    known: Any = call(
        "GET", "/client/vitrina.js", headers={"if-none-match": answer.headers["ETag"]}
    )
    assert known.status == 304
    assert call("GET", "/client/other.js").status == 404


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_type_of_a_problem_leads_to_its_text(kind: type[Problem]) -> None:
    for code in kind.codes:
        problem = kind.__new__(kind)
        problem.code = code
        path, _, anchor = problem.type.partition("#")
        assert anchor in Page(read(path).body).anchors


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_page_is_only_read(method: str) -> None:
    answer: Any = call(method, "/docs")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
