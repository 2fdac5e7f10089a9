"""Entity tags: versions of resources in `ETag`, `If-Match` and `If-None-Match` (RFC 9110)."""

import re
from collections.abc import Container

from vitrina.errors import Invalid

PATTERN = r'^"(0|[1-9][0-9]{0,14})"$'
"""Of an `ETag`: the version in quotes."""

_TAG = r'(W/)?"[!#-~]*"'
LIST_PATTERN = rf"^(\*|[ \t,]*{_TAG}([ \t]*,[ \t,]*{_TAG})*[ \t,]*)$"
"""Of a condition: `*`, or tags with commas. Elements of a list may be empty (section 5.6.1)."""

_LIST = re.compile(LIST_PATTERN)
_EACH = re.compile(r'(W/)?("[^"]*")')


class _Every(Container[int]):
    def __contains__(self, _version: object) -> bool:
        return True


EVERY: Container[int] = _Every()
"""What `*` names: each version of a resource that exists."""


def write(version: int) -> str:
    return f'"{version}"'


def read_if_match(condition: str) -> Container[int]:
    """Return the versions that `If-Match` names.

    A weak tag names none, nor does a tag that is no version (sections 8.8.3.2 and 13.1.1). Raises
    Invalid `request_invalid`.
    """
    condition = condition.strip(" \t")
    if not _LIST.fullmatch(condition):
        raise Invalid("request_invalid", 'If-Match: expected versions, as in If-Match: "3".')
    if condition == "*":
        return EVERY
    tags = {tag for weak, tag in _EACH.findall(condition) if not weak}
    return {int(tag.strip('"')) for tag in tags if re.fullmatch(PATTERN, tag)}


def is_known(condition: str, tag: str) -> bool:
    """Return whether `If-None-Match` names the tag; a weak one counts too (section 13.1.2)."""
    return condition.strip(" \t") == "*" or tag in {found for _, found in _EACH.findall(condition)}
