"""Making and dropping the views of one client, in the caller's transaction.

What belongs here: the statements. What does not: deciding which views there are to be (`warehouse.isolation.schemas`),
locks (`warehouse.isolation.locking`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
from psycopg import sql

from warehouse.errors import ClientSchemasFailed
from warehouse.isolation.held import HeldSchema, columns_of, mark
from warehouse.isolation.names import VIEW_OWNER
from warehouse.isolation.views import View
from warehouse.pool import Connection

Columns = tuple[tuple[str, str], ...]


def prepare_schema(
    connection: Connection, schema: str, client_id: str, accounts: Sequence[int], held: HeldSchema, role: str
) -> None:
    """Makes the schema unless it exists, says in it whose it is, and opens it to the views' owner and to the role."""
    name = sql.Identifier(schema)
    if not held.exists:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(name))
    if held.client_id != client_id or held.accounts != tuple(accounts):
        comment = sql.Literal(mark(client_id, accounts))
        connection.execute(sql.SQL("COMMENT ON SCHEMA {} IS {}").format(name, comment))
    if not held.is_open_to_owner:
        owner = sql.Identifier(VIEW_OWNER)
        connection.execute(sql.SQL("GRANT USAGE, CREATE ON SCHEMA {} TO {}").format(name, owner))
    if held.has_role and not held.is_open_to_role:
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(name, sql.Identifier(role)))


@contextmanager
def as_owner(connection: Connection) -> Iterator[None]:
    """Statements within are those of the role that owns the views; a transaction that fails ends that by itself."""
    connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(VIEW_OWNER)))
    yield
    connection.execute("RESET ROLE")


def make_views(connection: Connection, views: Sequence[View], held: HeldSchema) -> None:
    """Creates or replaces views, as their owner.

    One that lost, renamed or reordered columns cannot be replaced; it is dropped and made anew.

    Raises:
        ClientSchemasFailed: Somebody made something on a view that has to be dropped.
    """
    standing = columns_of(connection, [held.views[view.name].oid for view in views if view.name in held.views])
    changed = [
        view.name
        for view in views
        if view.name in held.views and not _can_replace(standing.get(held.views[view.name].oid, ()), view.mart.columns)
    ]
    if views:
        drop_views(connection, views[0].schema, changed)
    for view in views:
        connection.execute(view.statement())
        connection.execute(
            sql.SQL('COMMENT ON RULE "_RETURN" ON {} IS {}').format(
                sql.Identifier(view.schema, view.name), sql.Literal(view.fingerprint)
            )
        )


def drop_views(connection: Connection, schema: str, names: Sequence[str]) -> None:
    """Drops views, as their owner.

    Raises:
        ClientSchemasFailed: Somebody made something on one of them, which would go with it.
    """
    for name in names:
        try:
            connection.execute(sql.SQL("DROP VIEW IF EXISTS {}").format(sql.Identifier(schema, name)))
        except psycopg.errors.DependentObjectsStillExist as error:
            raise ClientSchemasFailed(
                f"{schema}.{name} has to be dropped, and something was made on it: {error.diag.message_detail}. "
                "To mend: drop that; it can be made again afterwards."
            ) from None


def grant_reading(connection: Connection, schema: str, names: Sequence[str], role: str) -> None:
    """Lets a client's role read these views of its schema, as the views' owner.

    The caller has locked what is below them: a view that a build drops at this moment would end that build.
    """
    if names:
        listed = sql.SQL(", ").join(sql.Identifier(schema, name) for name in names)
        connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(listed, sql.Identifier(role)))


def close_schema(connection: Connection, schema: str, client_id: str, held: HeldSchema, role: str) -> None:
    """Drops all views that the platform made in a schema, and shuts its role out. Whatever else is in it stays."""
    with as_owner(connection):
        drop_views(connection, schema, sorted(name for name, found in held.views.items() if found.is_ours))
    connection.execute(
        sql.SQL("COMMENT ON SCHEMA {} IS {}").format(sql.Identifier(schema), sql.Literal(mark(client_id, ())))
    )
    if held.is_open_to_role:
        connection.execute(
            sql.SQL("REVOKE USAGE ON SCHEMA {} FROM {}").format(sql.Identifier(schema), sql.Identifier(role))
        )


def end_login(connection: Connection, role: str) -> None:
    """Takes a role's login and password; sessions that are open see no view any more."""
    connection.execute(sql.SQL("ALTER ROLE {} NOLOGIN PASSWORD NULL").format(sql.Identifier(role)))


def _can_replace(standing: Columns, wanted: Columns) -> bool:
    return wanted[: len(standing)] == standing
