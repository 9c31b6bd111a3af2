"""A furnished office for the whole session, a mailbox and empty rows for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.databases import Databases
from tests.orchestration.reports.office import Office, fill, furnish, opened
from tests.receivers import Mailbox, mail_server


@pytest.fixture(scope="session")
def url(databases: Databases) -> Iterator[str]:
    """A database with marts and a client's schema, whose rows each test empties."""
    with databases.fresh("plain") as found:
        furnish(found)
        yield found


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mail_server() as found:
        yield found


@pytest.fixture
def office(url: str, box: Mailbox) -> Iterator[Office]:
    with opened(url, box.port) as found:
        fill(found.warehouse)
        yield found
