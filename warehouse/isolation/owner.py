"""The role that owns the clients' views, and who may read schema `marts`.

What belongs here: making that role, and its rights; what an administrator has to do where ours do not suffice. What
does not: logins (`warehouse.isolation.logins`).

The role owns the views and nothing else, reads the marts and nothing else, and never logs in: a view can show no more
than its owner reads, so no mistake in a view opens raw data or the platform's own state.
"""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from psycopg import sql

from warehouse.errors import FenceOpen, PermissionDenied
from warehouse.isolation.locking import lock_sources
from warehouse.isolation.names import MARTS, VIEW_OWNER
from warehouse.isolation.published import Mart
from warehouse.pool import Connection

_OWNER = """
    SELECT
        rolcanlogin OR rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication,
        pg_has_role(current_user, oid, 'SET')
    FROM pg_roles
    WHERE rolname = %s
"""
_RIGHTS = """
    SELECT
        has_schema_privilege(role.oid, namespace.oid, 'USAGE'),
        EXISTS (
            SELECT
            FROM pg_default_acl AS later
            CROSS JOIN aclexplode(later.defaclacl) AS item
            WHERE
                later.defaclnamespace = namespace.oid
                AND later.defaclobjtype = 'r'
                AND later.defaclrole = current_user::regrole
                AND item.grantee = role.oid
                AND item.privilege_type = 'SELECT'
        )
    FROM pg_roles AS role
    CROSS JOIN pg_namespace AS namespace
    WHERE role.rolname = %s AND namespace.nspname = %s
"""
_UNREADABLE = """
    SELECT class.relname::text
    FROM pg_class AS class
    JOIN pg_roles AS role ON role.rolname = %s
    WHERE class.oid = ANY (%s::bigint[]::oid[]) AND NOT has_table_privilege(role.oid, class.oid, 'SELECT')
"""


def ensure_owner(connection: Connection, marts: Sequence[Mart]) -> None:
    """Makes the role unless it exists, and gives it the right to read the marts.

    Raises:
        PermissionDenied: We may not; the message holds the SQL for an administrator.
        FenceOpen: A role of that name may do more than it should.
    """
    role = sql.Identifier(VIEW_OWNER)
    found = connection.execute(_OWNER, [VIEW_OWNER]).fetchone()
    if found is not None and found[0]:
        raise FenceOpen(
            f"The role {VIEW_OWNER} is to own the clients' views, and may log in or do more than read. "
            f"To mend: ALTER ROLE {VIEW_OWNER} NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION;"
        )
    try:
        if found is None:
            create_role(connection, VIEW_OWNER, sql.SQL("NOLOGIN NOINHERIT"))
            found = connection.execute(_OWNER, [VIEW_OWNER]).fetchone()
        if found is None or not found[1]:
            with connection.transaction():
                connection.execute(sql.SQL("GRANT {} TO CURRENT_USER WITH INHERIT FALSE, SET TRUE").format(role))
    except psycopg.errors.InsufficientPrivilege as error:
        raise PermissionDenied(_mend_for_owner(connection, str(error).strip(), exists=found is not None)) from None
    let_read_marts(connection, VIEW_OWNER, marts)


def let_read_marts(connection: Connection, role: str, marts: Sequence[Mart]) -> None:
    """Lets a role read these marts, and those that we make from now on.

    Reason for later ones: a build from scratch replaces each table by a new one, which would know nobody.
    """
    reader, schema = sql.Identifier(role), sql.Identifier(MARTS)
    row = connection.execute(_RIGHTS, [role, MARTS]).fetchone()
    may_enter, may_read_later = row or (False, False)
    if not may_enter:
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, reader))
    if not may_read_later:
        connection.execute(
            sql.SQL("ALTER DEFAULT PRIVILEGES IN SCHEMA {} GRANT SELECT ON TABLES TO {}").format(schema, reader)
        )
    found = {name for (name,) in connection.execute(_UNREADABLE, [role, [mart.oid for mart in marts]])}
    unreadable = [mart for mart in marts if mart.name in found]
    if unreadable:
        with connection.transaction():
            lock_sources(connection, unreadable, ())
            listed = sql.SQL(", ").join(sql.Identifier(MARTS, mart.name) for mart in unreadable)
            connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(listed, reader))


def create_role(connection: Connection, name: str, options: sql.SQL) -> None:
    """Makes a role; another database of the same server may do so at the same moment.

    Raises:
        psycopg.errors.InsufficientPrivilege: We may not make roles.
    """
    try:
        with connection.transaction():
            connection.execute(sql.SQL("CREATE ROLE {} {}").format(sql.Identifier(name), options))
    except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
        return


def _mend_for_owner(connection: Connection, complaint: str, *, exists: bool) -> str:
    row = connection.execute("SELECT current_user::text").fetchone()
    assert row is not None
    me = sql.Identifier(row[0]).as_string()
    create = "" if exists else f"\n  CREATE ROLE {VIEW_OWNER} NOLOGIN NOINHERIT;"
    return (
        f"Clients' schemas need a role that owns their views, and {me} may not make it or use it ({complaint}). "
        f"Everything else works without. To mend: have an administrator of the server run{create}"
        f"\n  GRANT {VIEW_OWNER} TO {me} WITH INHERIT FALSE, SET TRUE;"
        f"\nand, for logins of clients, also\n  ALTER ROLE {me} CREATEROLE;"
    )
