"""What a login could do beyond reading its own schema: each such thing is a door in the fence.

What belongs here: asking the catalog what a role may do, be it granted to the role or to everybody. What does not:
closing doors (`warehouse.isolation.logins`).

Not looked at: the catalog itself, which every role reads. It tells the names of schemas, roles and tables, and the text
of views.
"""

from __future__ import annotations

from dataclasses import dataclass

from warehouse.pool import Connection

_ATTRIBUTES = """
    SELECT format('may more than a reader (%%s)', concat_ws(', ',
            CASE WHEN rolsuper THEN 'superuser' END, CASE WHEN rolbypassrls THEN 'bypassrls' END,
            CASE WHEN rolcreaterole THEN 'createrole' END, CASE WHEN rolcreatedb THEN 'createdb' END,
            CASE WHEN rolreplication THEN 'replication' END)),
        format('ALTER ROLE %%I NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION;', rolname)
    FROM pg_roles
    WHERE oid = %(role)s AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)
"""
_MEMBERSHIPS = """
    SELECT format('is a member of %%I', granted.rolname),
        format('REVOKE %%I FROM %%I;', granted.rolname, member.rolname)
    FROM pg_auth_members
    JOIN pg_roles AS granted ON granted.oid = roleid
    JOIN pg_roles AS member ON member.oid = pg_auth_members.member
    WHERE pg_auth_members.member = %(role)s
"""
_OWNED = """
    SELECT format('owns %%s', pg_describe_object(classid, objid, objsubid)), 'give it to another owner'
    FROM pg_shdepend
    WHERE
        refclassid = 'pg_authid'::regclass
        AND refobjid = %(role)s
        AND deptype = 'o'
        AND dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
"""
_DATABASE = """
    SELECT format('may make %%s in the database', things),
        format('REVOKE %%s ON DATABASE %%I FROM PUBLIC, %%I;', right_needed, current_database(), %(name)s::text)
    FROM (VALUES ('TEMPORARY', 'temporary tables, and functions with them,'), ('CREATE', 'schemas'))
        AS rights (right_needed, things)
    WHERE has_database_privilege(%(role)s::oid, current_database(), right_needed)
"""
_SCHEMAS = """
    SELECT format('may make objects in schema %%I', nspname),
        format('REVOKE CREATE ON SCHEMA %%I FROM PUBLIC, %%I;', nspname, %(name)s::text)
    FROM pg_namespace
    WHERE has_schema_privilege(%(role)s::oid, oid, 'CREATE')
"""
# Reason for the last condition: tables of an extension (TimescaleDB's lists of chunks) are its own to open, and hold no
# rows of ours.
_TABLES = """
    SELECT format('may %%s %%I.%%I', rights.words, namespace.nspname, class.relname),
        format('REVOKE ALL ON %%I.%%I FROM PUBLIC, %%I;', namespace.nspname, class.relname, %(name)s::text)
    FROM pg_class AS class
    JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN has_table_privilege(%(role)s::oid, class.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
                OR has_any_column_privilege(%(role)s::oid, class.oid, 'INSERT, UPDATE, REFERENCES') THEN 'write to'
            WHEN namespace.nspname <> %(schema)s
                AND has_any_column_privilege(%(role)s::oid, class.oid, 'SELECT') THEN 'read'
        END AS words
    ) AS rights
    WHERE
        class.relkind = ANY ('{r,p,v,m,f}')
        AND namespace.nspname NOT IN ('pg_catalog', 'information_schema')
        AND rights.words IS NOT NULL
        AND has_schema_privilege(%(role)s::oid, namespace.oid, 'USAGE')
        AND NOT EXISTS (
            SELECT FROM pg_depend
            WHERE pg_depend.objid = class.oid AND pg_depend.classid = 'pg_class'::regclass AND pg_depend.deptype = 'e'
        )
"""
_SECRETS = """
    SELECT format('may read pg_catalog.%%I', relname),
        format('REVOKE ALL ON pg_catalog.%%I FROM PUBLIC, %%I;', relname, %(name)s::text)
    FROM pg_class
    WHERE
        relnamespace = 'pg_catalog'::regnamespace
        AND relname = ANY ('{pg_authid,pg_shadow,pg_statistic,pg_statistic_ext_data,pg_largeobject,pg_user_mapping}')
        AND has_any_column_privilege(%(role)s::oid, oid, 'SELECT')
"""
_FUNCTIONS = """
    SELECT format('may call %%s, which runs with the rights of its owner', routine.oid::regprocedure),
        format('REVOKE EXECUTE ON FUNCTION %%s FROM PUBLIC, %%I;', routine.oid::regprocedure, %(name)s::text)
    FROM pg_proc AS routine
    JOIN pg_namespace AS namespace ON namespace.oid = routine.pronamespace
    WHERE
        routine.prosecdef
        AND namespace.nspname NOT IN ('pg_catalog', 'information_schema')
        AND has_function_privilege(%(role)s::oid, routine.oid, 'EXECUTE')
        AND has_schema_privilege(%(role)s::oid, namespace.oid, 'USAGE')
        AND NOT EXISTS (
            SELECT FROM pg_depend
            WHERE pg_depend.objid = routine.oid AND pg_depend.classid = 'pg_proc'::regclass AND pg_depend.deptype = 'e'
        )
"""
_SERVERS = """
    SELECT format('may use the foreign server %%I', srvname),
        format('REVOKE USAGE ON FOREIGN SERVER %%I FROM PUBLIC, %%I;', srvname, %(name)s::text)
    FROM pg_foreign_server
    WHERE has_server_privilege(%(role)s::oid, oid, 'USAGE')
"""
_LARGE_OBJECTS = """
    SELECT 'may read every large object (lo_compat_privileges is on)', 'ALTER SYSTEM SET lo_compat_privileges = off;'
    WHERE current_setting('lo_compat_privileges')::boolean
"""
_QUESTIONS = (
    _ATTRIBUTES,
    _MEMBERSHIPS,
    _OWNED,
    _DATABASE,
    _SCHEMAS,
    _TABLES,
    _SECRETS,
    _FUNCTIONS,
    _SERVERS,
    _LARGE_OBJECTS,
)


@dataclass(frozen=True)
class Door:
    """Something that a login may do beyond reading its schema.

    Attributes:
        what: Without the role's name, e.g. `may read public.notes`.
        mend: The SQL that closes it; what PUBLIC may is taken from everybody, so read it before you run it.
    """

    what: str
    mend: str


def doors_of(connection: Connection, role: str, schema: str) -> list[Door]:
    """Everything that a role may do in this database beyond reading `schema`; empty where the fence is closed.

    Args:
        connection: Anybody's: the catalog is open.
        role: Its name. One that does not exist has no doors.
        schema: What it is there to read.
    """
    row = connection.execute("SELECT oid::bigint FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    if row is None:
        return []
    values = {"role": row[0], "name": role, "schema": schema}
    found = [Door(*door) for question in _QUESTIONS for door in connection.execute(question, values)]
    return sorted(found, key=lambda door: door.what)
