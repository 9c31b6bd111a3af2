"""Logins: one for each client, which reads the client's schema, and one for the agency, which reads the marts.

What belongs here: roles, their limits, their passwords. What does not: whether a role may do more than that
(`warehouse.isolation.doors`), which asks before a login is given.

A role is the fence; its settings are not: whoever is logged in may change them. Read-only and the time limit keep
mistakes small.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import psycopg
from psycopg import sql

from warehouse.connect import Warehouse
from warehouse.errors import FenceOpen, PermissionDenied, TerminalError, translated
from warehouse.isolation.doors import Door, doors_of
from warehouse.isolation.held import read_schemas
from warehouse.isolation.locking import LOCK, come_again, limit_waiting, lock_sources
from warehouse.isolation.making import as_owner, grant_reading, prepare_schema
from warehouse.isolation.names import AGENCY_ROLE, MARTS, role_name, schema_name
from warehouse.isolation.owner import create_role, let_read_marts
from warehouse.isolation.published import read_marts
from warehouse.ops.locks import wait_for_lock
from warehouse.pool import Connection

CLIENT_CONNECTIONS = 5
AGENCY_CONNECTIONS = 15
_SETTINGS = {
    "default_transaction_read_only": "on",
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "60s",
}
# Reason: a build from scratch drops tables, and who reads a view on one at that moment can stand in a circle with it.
# The server ends whoever looks first. A build looks after a second, so that is the reader. Not everybody may set it.
_FIRST_TO_LOOK = {"deadlock_timeout": "200ms"}
_NEW_ROLE = sql.SQL("NOLOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION")
_ME = """
    SELECT
        current_user::text, current_database()::text,
        (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
        has_database_privilege(current_user, current_database(), 'TEMPORARY'),
        has_parameter_privilege(current_user, 'deadlock_timeout', 'SET')
"""
# What anybody may do with these by default: fill the disk with objects that belong to no table.
_LARGE_OBJECT_MAKERS = ("lo_creat(integer)", "lo_create(oid)", "lo_from_bytea(oid, bytea)")
_PUBLIC_MAKES_THEM = """
    SELECT DISTINCT routine.oid::regprocedure::text
    FROM pg_proc AS routine
    CROSS JOIN aclexplode(coalesce(routine.proacl, acldefault('f', routine.proowner))) AS item
    WHERE routine.oid = ANY (%s::regprocedure[]::oid[]) AND item.grantee = 0
"""


class Secret(Protocol):
    """A password that shows itself only when asked, such as pydantic's `SecretStr`."""

    def get_secret_value(self) -> str:
        """The password."""
        ...


def ensure_login(warehouse: Warehouse, client_id: str, password: Secret) -> str:
    """Lets a client log in with this password and read its schema; repeatable, also to change the password.

    Args:
        warehouse: Migrated.
        client_id: Of a client that has a schema (`sync_client_schemas`).
        password: The server gets its SCRAM verifier alone.

    Returns:
        The role's name.

    Raises:
        TerminalError: The client has no schema yet, or the password is empty.
        PermissionDenied: We may not make or change roles; the message holds the SQL for an administrator.
        FenceOpen: The role could do more than read its schema. Nothing was changed.
    """
    schema, role = schema_name(client_id), role_name(client_id)

    def give(session: Connection) -> None:
        held = read_schemas(session, {schema: role})[schema]
        if held.client_id != client_id or not held.views:
            raise TerminalError(
                f"Client {client_id!r} has no schema yet. To mend: declare it, build the marts, and run "
                "`meta-ads clients sync`."
            )
        prepare_schema(session, schema, client_id, held.accounts, held, role)
        unread = sorted(name for name, view in held.views.items() if view.is_ours and not view.is_granted)
        lock_sources(session, (), [held.views[name] for name in unread])
        with as_owner(session):
            grant_reading(session, schema, unread, role)

    return _ensure(warehouse, role, schema, CLIENT_CONNECTIONS, password, give)


def ensure_agency_login(warehouse: Warehouse, password: Secret) -> str:
    """Lets the agency's own people log in and read schema `marts`, every client's; otherwise as `ensure_login`.

    Raises:
        TerminalError: There are no marts yet, or the password is empty.
        PermissionDenied: As for `ensure_login`.
        FenceOpen: As for `ensure_login`.
    """

    def give(session: Connection) -> None:
        marts = read_marts(session)
        if not marts:
            raise TerminalError("There are no marts yet. To mend: run `meta-ads build`.")
        let_read_marts(session, AGENCY_ROLE, marts)

    return _ensure(warehouse, AGENCY_ROLE, MARTS, AGENCY_CONNECTIONS, password, give)


def open_doors(warehouse: Warehouse, client_id: str | None) -> list[Door]:
    """What a client's role (None: the agency's) may do beyond reading its schema; empty where the fence is closed.

    A role that does not exist has no doors.
    """
    role, schema = (AGENCY_ROLE, MARTS) if client_id is None else (role_name(client_id), schema_name(client_id))
    with warehouse.connection() as connection:
        return doors_of(connection, role, schema)


def _ensure(
    warehouse: Warehouse,
    role: str,
    schema: str,
    connections: int,
    password: Secret,
    give: Callable[[Connection], None],
) -> str:
    text = password.get_secret_value()
    # Reason: libpq reads up to the first NUL, and an empty password lets nobody in.
    if not text or "\x00" in text:
        raise TerminalError(f"The password for {role} is empty or holds a NUL. To mend: choose another one.")
    session = wait_for_lock(warehouse, LOCK)
    try:
        with translated():
            limit_waiting(session)
            try:
                come_again(lambda: _work(session, role, schema, connections, text, give))
            except psycopg.errors.InsufficientPrivilege as error:
                raise PermissionDenied(_mend(session, role, str(error).strip())) from None
    finally:
        session.close()
    return role


def _work(
    session: Connection, role: str, schema: str, connections: int, password: str, give: Callable[[Connection], None]
) -> None:
    with session.transaction():
        if session.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone() is None:
            create_role(session, role, _NEW_ROLE)
        give(session)
        _close_what_everybody_may(session)
        _limit(session, role, schema)
        doors = doors_of(session, role, schema)
        if doors:
            raise FenceOpen(f"{told(role, doors)}\nUntil they are closed it gets no login.")
        _let_in(session, role, connections, password)


def told(role: str, doors: Sequence[Door]) -> str:
    """What is wrong with a role, for people."""
    listing = "\n".join(f"  - it {door.what}. To mend: {door.mend}" for door in doors)
    return f"{role} could do more than read its schema:\n{listing}"


def _close_what_everybody_may(session: Connection) -> None:
    """Takes from PUBLIC what no role can be denied alone: temporary objects, and making large objects."""
    us = _us(session)
    name = sql.Identifier(us.database)
    if us.may_make_temporary:
        # Reason: dbt stages rows in temporary tables, as the same role as ours.
        session.execute(sql.SQL("GRANT TEMPORARY ON DATABASE {} TO {}").format(name, sql.Identifier(us.role)))
    session.execute(sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC").format(name))
    if us.is_superuser:
        for (signature,) in session.execute(_PUBLIC_MAKES_THEM, [list(_LARGE_OBJECT_MAKERS)]).fetchall():
            session.execute(sql.SQL("REVOKE EXECUTE ON FUNCTION pg_catalog.{} FROM PUBLIC").format(sql.SQL(signature)))


def _limit(session: Connection, role: str, schema: str) -> None:
    us = _us(session)
    name, database = sql.Identifier(role), sql.Identifier(us.database)
    session.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, name))
    for setting, value in (_SETTINGS | (_FIRST_TO_LOOK if us.may_set_deadlock_timeout else {})).items():
        session.execute(
            sql.SQL("ALTER ROLE {} IN DATABASE {} SET {} = {}").format(
                name, database, sql.Identifier(setting), sql.Literal(value)
            )
        )
    session.execute(
        sql.SQL("ALTER ROLE {} IN DATABASE {} SET search_path = {}").format(name, database, sql.Identifier(schema))
    )


def _let_in(session: Connection, role: str, connections: int, password: str) -> None:
    """Sends the verifier, never the password: statements reach logs, and the catalog keeps verifiers anyway."""
    verifier = session.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    session.execute(
        sql.SQL("ALTER ROLE {} LOGIN NOINHERIT CONNECTION LIMIT {} PASSWORD {}").format(
            sql.Identifier(role), sql.Literal(connections), sql.Literal(verifier.decode())
        )
    )


class _Us(NamedTuple):
    role: str
    database: str
    is_superuser: bool
    may_make_temporary: bool
    may_set_deadlock_timeout: bool


def _us(session: Connection) -> _Us:
    row = session.execute(_ME).fetchone()
    assert row is not None
    return _Us(*row)


def _mend(session: Connection, role: str, complaint: str) -> str:
    me = _us(session)
    us, database, login = (sql.Identifier(name).as_string() for name in (me.role, me.database, role))
    exists = session.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone() is not None
    grant = f"\n  GRANT {login} TO {us} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;" if exists else ""
    return (
        f"{us} may not give {role} its login ({complaint}). Everything else works without. To mend: have an "
        f"administrator of the server run\n  ALTER ROLE {us} CREATEROLE;{grant}"
        f"\n  ALTER DATABASE {database} OWNER TO {us};"
    )
