"""Locks by name that live as long as a session: what must not be done twice at once, on whatever machine.

What belongs here: taking them. What does not: the locks that belong to a table or a run (`warehouse.ops.runs`,
`warehouse.ops.builds`).
"""

from __future__ import annotations

import psycopg

from warehouse.connect import Warehouse
from warehouse.errors import from_database_error
from warehouse.pool import Connection

_LOCK = "SELECT pg_advisory_lock(hashtextextended(%s, 0))"


def wait_for_lock(warehouse: Warehouse, name: str) -> Connection:
    """Waits until nobody else holds the name, then holds it.

    Args:
        warehouse: Connected.
        name: Whatever both sides call it.

    Returns:
        The session that holds the lock; closing it, or the death of this process, gives it back.

    Raises:
        WarehouseError: The database cannot be reached.
    """
    session = warehouse.session()
    try:
        session.execute(_LOCK, [name])
    except psycopg.Error as error:
        session.close()
        raise from_database_error(error) from error
    return session
