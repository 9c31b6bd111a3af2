"""Changing views beside builds of the marts: the order of locks, and coming again.

What belongs here: what is locked before a view is touched, and which errors pass by themselves. What does not: views.

Who drops a table takes it first, and then the views on it. Whoever has a view and then wants the table would stand in a
circle with it, and the server might end the build; so what is below is taken before what is above it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

import psycopg
from psycopg import sql

from warehouse.errors import Contention
from warehouse.isolation.held import HeldView
from warehouse.isolation.published import Mart
from warehouse.pool import Connection

LOCK = "meta-ads client schemas"
"""Held by whoever changes schemas or logins of clients."""

_TIMEOUT = "SET lock_timeout = '5s'"  # Reason: readers of a view queue up behind whoever waits to replace it.
_ATTEMPTS = 3
_PASSING = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
)
"""A build changed a mart meanwhile, or somebody holds one, or a view, for long."""

_SOURCES = """
    WITH RECURSIVE source AS (
        SELECT oid, 0 AS depth FROM unnest(%s::bigint[]::oid[]) AS given (oid)
        UNION
        SELECT below.refobjid, source.depth + 1
        FROM source
        JOIN pg_rewrite AS rule ON rule.ev_class = source.oid
        JOIN pg_depend AS below
            ON
                below.objid = rule.oid
                AND below.classid = 'pg_rewrite'::regclass
                AND below.refclassid = 'pg_class'::regclass
                AND below.refobjid <> source.oid
    )
    SELECT namespace.nspname::text, class.relname::text, class.relkind = 'v'
    FROM (SELECT oid, max(depth) AS depth FROM source GROUP BY oid) AS deepest
    JOIN pg_class AS class ON class.oid = deepest.oid AND class.relkind = ANY ('{r,p,v}')
    JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
    WHERE
        NOT class.oid = ANY (%s::bigint[]::oid[])
        AND namespace.nspname NOT IN ('pg_catalog', 'information_schema')
    ORDER BY class.relkind = 'v', deepest.depth DESC, class.oid
"""

Result = TypeVar("Result")


def limit_waiting(connection: Connection) -> None:
    """From now on statements of this session give up waiting for a lock after some seconds."""
    connection.execute(_TIMEOUT)


def come_again(work: Callable[[], Result]) -> Result:
    """Does the work, once more where what it had read was outdated.

    Raises:
        Contention: It was every time.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return work()
        except _PASSING as error:
            if attempt == _ATTEMPTS:
                raise Contention(
                    f"The marts were changed meanwhile, or one of them or a view on it stayed locked: {error}"
                ) from error
    raise AssertionError("the last attempt returns or raises")


def lock_sources(connection: Connection, marts: Collection[Mart], views: Collection[HeldView]) -> None:
    """Keeps these marts, and whatever these views stand on, from being replaced until the transaction ends.

    Readers go on, and so do builds that write rows. A relation that is gone meanwhile is `UndefinedTable`.
    """
    standing = [view.oid for view in views]
    found = connection.execute(_SOURCES, [[mart.oid for mart in marts] + standing, standing]).fetchall()
    if found:
        listed = sql.SQL(", ").join(
            sql.SQL("{}{}").format(sql.SQL("" if is_view else "ONLY "), sql.Identifier(schema, name))
            for schema, name, is_view in found
        )
        connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(listed))
