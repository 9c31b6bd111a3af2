"""Which clients have their views.

What belongs here: that question, for whoever shows data. What does not: making views (`warehouse.isolation.schemas`).
"""

from __future__ import annotations

from collections.abc import Collection

from warehouse.connect import Warehouse
from warehouse.isolation.held import read_schemas
from warehouse.isolation.names import role_name, schema_name


def clients_with_views(warehouse: Warehouse, clients: Collection[str]) -> frozenset[str]:
    """Those of these clients whose schema the platform made, and has views.

    A schema of the right name that somebody else made is not theirs.

    Raises:
        DatabaseUnavailable: The database cannot be reached.
    """
    with warehouse.connection() as connection:
        held = read_schemas(connection, {schema_name(client): role_name(client) for client in clients})
    return frozenset(
        client
        for client in clients
        if (schema := held.get(schema_name(client))) and schema.client_id == client and schema.views
    )
