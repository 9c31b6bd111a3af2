"""Whose data there are pages of: the agency's, and each client's that has a schema of its own.

What belongs here: that list. What does not: making the schemas (`warehouse`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from dashboards.answering import Space
from dashboards.answers import SCHEMA
from orchestration.clients.models import ClientsFile
from warehouse.connect import Warehouse
from warehouse.isolation import clients_with_views, schema_name

log = logging.getLogger(__name__)

AGENCY = "all"
_KEPT_SECONDS = 15.0
_told: set[str] = set()
"""Clients whose lack of pages is in this process's log already."""


def find_spaces(warehouse: Warehouse, clients: ClientsFile, wanted: Sequence[str] = ()) -> list[Space]:
    """The agency's space and those of clients, in the order of `clients.yml`.

    A client without a schema of its own has no space: its pages would have to be made of everybody's data.

    Args:
        warehouse: Connected.
        clients: Who there is.
        wanted: Ids of clients, `all` for the agency; all of them if empty.

    Raises:
        DatabaseUnavailable: The database cannot be reached.
    """
    found = [] if wanted and AGENCY not in wanted else [Space(AGENCY, "All clients", SCHEMA, warehouse)]
    chosen = [client for client in clients.clients if (not wanted or client.id in wanted) and client.id != AGENCY]
    present = clients_with_views(warehouse, [client.id for client in chosen])
    for client in chosen:
        if client.id in present:
            found.append(Space(client.id, client.name, schema_name(client.id), warehouse))
        elif client.id not in _told:
            _told.add(client.id)
            log.info("no pages for client %s: there are no views in schema %s", client.id, schema_name(client.id))
    return found


def watched_spaces(warehouse: Warehouse, clients: ClientsFile) -> Callable[[], Sequence[Space]]:
    """The list for a process that runs on: looked at again from time to time, since a build may bring a schema."""
    held: list[Space] = []
    looked = 0.0

    def current() -> Sequence[Space]:
        nonlocal held, looked
        if not held or time.monotonic() - looked > _KEPT_SECONDS:
            held, looked = find_spaces(warehouse, clients), time.monotonic()
        return held

    return current
