"""A deployed stack of its own, so that no other test's products are in the queue."""

from collections.abc import Iterator

import pytest
from pydantic import TypeAdapter

from local import edge
from local.emulator import PASSWORD, Cloud
from tests.emulator.conftest import assembly, cloud
from vitrina import accounts
from vitrina.channels import ClientType

__all__ = ["assembly", "cloud"]


@pytest.fixture(scope="package")
def url(cloud: Cloud) -> Iterator[str]:
    """Return where the edge is, with a second moderator."""
    password = TypeAdapter(accounts.Password).validate_python(PASSWORD)
    accounts.create("other@example.com", password, ClientType.ADMIN)
    with edge.running(cloud.outputs) as base:
        yield base
