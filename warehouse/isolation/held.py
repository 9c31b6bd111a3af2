"""What stands of the clients' schemas: read in a few statements, however many clients there are.

What belongs here: reading the catalog. What does not: changing anything (`warehouse.isolation.schemas`).

A schema says in its comment whose it is and which accounts it shows. A view's fingerprint is the comment of its rule,
which nobody is shown, and which goes when the view goes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import orjson

from warehouse.isolation.names import VIEW_OWNER
from warehouse.pool import Connection

_MARK = "Views of one client of Meta Ads Analytics, made by the platform: "

_MARKED = """
    SELECT namespace.nspname::text, mark.description
    FROM pg_namespace AS namespace
    JOIN pg_description AS mark
        ON mark.objoid = namespace.oid AND mark.classoid = 'pg_namespace'::regclass AND mark.objsubid = 0
    WHERE starts_with(mark.description, %s)
"""
_SCHEMAS = """
    SELECT
        wanted.schema,
        namespace.oid IS NOT NULL,
        obj_description(namespace.oid, 'pg_namespace'),
        has_schema_privilege(owner.oid, namespace.oid, 'USAGE')
            AND has_schema_privilege(owner.oid, namespace.oid, 'CREATE'),
        role.oid IS NOT NULL,
        coalesce(role.rolcanlogin, false),
        coalesce(has_schema_privilege(role.oid, namespace.oid, 'USAGE'), false)
    FROM unnest(%s::text[], %s::text[]) AS wanted (schema, role)
    LEFT JOIN pg_namespace AS namespace ON namespace.nspname = wanted.schema
    LEFT JOIN pg_roles AS role ON role.rolname = wanted.role
    LEFT JOIN pg_roles AS owner ON owner.rolname = %s
"""
_OBJECTS = """
    SELECT
        wanted.schema,
        class.relname::text,
        class.oid::bigint,
        class.relkind = 'v' AND owner.rolname = %s,
        CASE WHEN 'security_barrier=true' = ANY (class.reloptions) THEN mark.description END,
        coalesce(has_table_privilege(role.oid, class.oid, 'SELECT'), false)
    FROM unnest(%s::text[], %s::text[]) AS wanted (schema, role)
    JOIN pg_namespace AS namespace ON namespace.nspname = wanted.schema
    JOIN pg_class AS class ON class.relnamespace = namespace.oid AND class.relkind = ANY ('{r,v,m,f,p,S}')
    JOIN pg_roles AS owner ON owner.oid = class.relowner
    LEFT JOIN pg_roles AS role ON role.rolname = wanted.role
    LEFT JOIN pg_rewrite AS rule ON rule.ev_class = class.oid AND rule.rulename = '_RETURN'
    LEFT JOIN pg_description AS mark
        ON mark.objoid = rule.oid AND mark.classoid = 'pg_rewrite'::regclass AND mark.objsubid = 0
"""
_COLUMNS = """
    SELECT
        attrelid::bigint,
        array_agg(attname::text ORDER BY attnum),
        array_agg(format_type(atttypid, atttypmod) ORDER BY attnum)
    FROM pg_attribute
    WHERE attrelid = ANY (%s::bigint[]::oid[]) AND attnum > 0 AND NOT attisdropped
    GROUP BY attrelid
"""


@dataclass(frozen=True)
class HeldView:
    """A relation in a client's schema.

    Attributes:
        oid: The database's number of it.
        is_ours: Whether it is a view that the platform made.
        fingerprint: Of the definition; None where it is unknown, or the view is no barrier any more.
        is_granted: Whether the client's role may read it.
    """

    oid: int
    is_ours: bool
    fingerprint: str | None
    is_granted: bool


@dataclass
class HeldSchema:
    """A client's schema, as it stands.

    Attributes:
        exists: Whether there is a schema of that name.
        client_id: Whose it is; None where nobody marked it, so the platform did not make it.
        accounts: Whose rows its views show.
        is_open_to_owner: Whether the role that owns views may make them in it.
        has_role: Whether the client's role exists.
        has_login: Whether that role may log in.
        is_open_to_role: Whether that role may enter it.
        views: Relations in it, by name.
    """

    exists: bool = False
    client_id: str | None = None
    accounts: tuple[int, ...] = ()
    is_open_to_owner: bool = False
    has_role: bool = False
    has_login: bool = False
    is_open_to_role: bool = False
    views: dict[str, HeldView] = field(default_factory=dict)


def mark(client_id: str, accounts: Collection[int]) -> str:
    """The comment of a client's schema."""
    return _MARK + orjson.dumps({"client": client_id, "accounts": list(accounts)}).decode()


def marked_schemas(connection: Connection) -> dict[str, str]:
    """The client of each schema that the platform made."""
    found = {}
    for schema, comment in connection.execute(_MARKED, [_MARK]):
        client_id, _ = _read(comment)
        if client_id is not None:
            found[schema] = client_id
    return found


def read_schemas(connection: Connection, roles: Mapping[str, str]) -> dict[str, HeldSchema]:
    """What stands of these schemas, each given with the role that reads it."""
    names = [list(roles), list(roles.values())]
    found: dict[str, HeldSchema] = {}
    for schema, exists, comment, owner_may, has_role, has_login, role_may in connection.execute(
        _SCHEMAS, [*names, VIEW_OWNER]
    ):
        client_id, accounts = _read(comment)
        found[schema] = HeldSchema(exists, client_id, accounts, bool(owner_may), has_role, has_login, role_may)
    for schema, name, oid, is_ours, fingerprint, is_granted in connection.execute(_OBJECTS, [VIEW_OWNER, *names]):
        found[schema].views[name] = HeldView(oid, is_ours, fingerprint, is_granted)
    return found


def columns_of(connection: Connection, oids: Collection[int]) -> dict[int, tuple[tuple[str, str], ...]]:
    """Name and type of the columns of relations, by the relation's number."""
    if not oids:
        return {}
    return {
        oid: tuple(zip(names, types, strict=True)) for oid, names, types in connection.execute(_COLUMNS, [sorted(oids)])
    }


def _read(comment: str | None) -> tuple[str | None, tuple[int, ...]]:
    """The client and the accounts that a schema's comment tells; a comment that somebody wrote tells nothing."""
    if comment is None or not comment.startswith(_MARK):
        return None, ()
    try:
        told = orjson.loads(comment.removeprefix(_MARK))
        return str(told["client"]), tuple(int(account) for account in told["accounts"])
    except (ValueError, KeyError, TypeError):
        return None, ()
