"""The console: its page, its files, and what browsers are told about them."""

import re

from infra.console import HEADERS, PATH
from ops.verify.expectation import Unexpected, expect
from ops.verify.site import Site


def console(site: Site) -> str:
    """Load the page and every file that it names."""
    page = site.request("GET", PATH)
    files = re.findall(r'(?:src|href)="(assets/[^"]+)"', page.text)
    statuses = {site.request("GET", PATH + name).status_code for name in files}
    if not files or statuses != {200}:
        raise Unexpected(f"{page.status_code}, {len(files)} files: {statuses or 'none'}")
    return f"{page.status_code}, with {len(files)} files"


def console_headers(site: Site) -> str:
    answer = site.request("GET", PATH)
    wrong = [name for name, value in HEADERS.items() if answer.headers.get(name) != value]
    if wrong:
        raise Unexpected(f"others: {', '.join(wrong)}")
    return f"{len(HEADERS)} headers"


def console_caching(site: Site) -> str:
    """Ask for the page again, and for a file whose name has a hash."""
    page = site.request("GET", PATH)
    again = site.request("GET", PATH, headers={"If-None-Match": page.headers.get("ETag", "")})
    [name, *_] = [*re.findall(r'"(assets/[^"]+)"', page.text), "no file"]
    kept = site.request("GET", PATH + name).headers.get("Cache-Control", "")
    return expect(
        f"{page.headers.get('Cache-Control')}, then {again.status_code}; {kept}",
        "no-cache, then 304; public, max-age=31536000, immutable",
    )
