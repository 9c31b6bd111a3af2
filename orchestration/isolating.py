"""Keeping the clients' schemas in line with `clients.yml` and with the marts.

What belongs here: which clients are declared, and what happens where the schemas cannot be made. What does not:
schemas, views and roles (`warehouse.isolation`).
"""

from __future__ import annotations

import logging

from orchestration.platform import Platform
from warehouse.errors import WarehouseError
from warehouse.isolation import SyncResult, sync_client_schemas

log = logging.getLogger(__name__)


def sync_clients_apart(platform: Platform) -> SyncResult:
    """Makes each declared client's schema show its accounts in the marts that there are; takes away the others'.

    Without a `clients.yml` every client that the warehouse knows is meant.

    Raises:
        WarehouseError: Our role may not, a client's schema is in the way, or the database failed.
    """
    declared = {client.id for client in platform.clients.clients}
    result = sync_client_schemas(platform.warehouse, declared or None)
    if result.changes:
        log.info("clients' schemas: %d views of %d clients changed", result.changes, len(result.clients))
    return result


def keep_clients_apart(platform: Platform) -> str | None:
    """The same beside a build of the marts, which must not fail for it.

    Returns:
        What is wrong, with its mend; None where nothing is.
    """
    try:
        sync_clients_apart(platform)
    except WarehouseError as problem:
        log.warning("the clients' schemas are not up to date: %s", problem)
        return str(problem)
    return None
