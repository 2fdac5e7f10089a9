"""Expectations: what a check says when something else came."""


class Unexpected(Exception):
    """Something else came than was expected; the text says what."""


class Unavailable(Exception):
    """The deployment cannot answer a check; the text says why."""


def expect(came: object, *wanted: object) -> str:
    """Return what came, as text; raises Unexpected if it is none of the wanted values."""
    if came not in wanted:
        raise Unexpected(str(came))
    return str(came)
