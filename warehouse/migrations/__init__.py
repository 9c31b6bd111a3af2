"""Schema changes: Alembic, driven from code, without a configuration file.

What belongs here: applying and comparing revisions. What does not: insight tables' shape
(`warehouse.tables`), marts (dbt).
"""

from __future__ import annotations

from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection as AlchemyConnection
from sqlalchemy.exc import DBAPIError

from warehouse.connect import Warehouse
from warehouse.errors import MIGRATE_COMMAND, SchemaOutdated, from_database_error
from warehouse.storage import offer_timescale

__all__ = ["VERSION_SCHEMA", "check", "current", "head", "upgrade"]

VERSION_SCHEMA = "ops"
_LOCK = "SELECT pg_advisory_lock(hashtextextended('meta-ads migrations', 0))"
_UNLOCK = "SELECT pg_advisory_unlock(hashtextextended('meta-ads migrations', 0))"
_KNOWN_TABLE = "SELECT to_regclass('ops.alembic_version') IS NOT NULL"


def upgrade(warehouse: Warehouse) -> str:
    """Brings the schema to the newest revision, each migration in a transaction of its own. Repeatable.

    Processes that upgrade at once wait for each other. In an empty database of a server with TimescaleDB loaded
    the extension is created first.

    Returns:
        The revision reached.

    Raises:
        SchemaOutdated: The database is at a revision that this code does not know (it was migrated by newer code).
        WarehouseError: The database refused.
    """
    with warehouse.connection() as lock:
        lock.execute(_LOCK)
        try:
            found = current(warehouse)
            if found == head():
                return found
            _refuse_unknown(found)
            offer_timescale(lock)
            lock.execute(f"CREATE SCHEMA IF NOT EXISTS {VERSION_SCHEMA}")
            with warehouse.engine().connect() as connection:
                _run_upgrade(connection)
        finally:
            if not lock.closed and not lock.broken:
                lock.execute(_UNLOCK)
    warehouse.forget_storage()
    return head()


def current(warehouse: Warehouse) -> str | None:
    """The database's revision; None where no migration was ever applied."""
    with warehouse.connection() as connection:
        row = connection.execute(_KNOWN_TABLE).fetchone()
        if row is None or not row[0]:
            return None
        versions = connection.execute("SELECT version_num FROM ops.alembic_version").fetchall()
    return versions[0][0] if versions else None


def head() -> str:
    """The revision that this code expects."""
    newest = _scripts().get_current_head()
    assert newest is not None
    return newest


def check(warehouse: Warehouse) -> None:
    """Does nothing if the schema is the expected one.

    Raises:
        SchemaOutdated: It is not; the message names the command that mends.
    """
    found = current(warehouse)
    if found == head():
        return
    _refuse_unknown(found)
    raise SchemaOutdated(
        f"The warehouse is at revision {found or 'none'}, this code expects {head()}. "
        f"To mend: run `{MIGRATE_COMMAND}`.",
        current=found,
        expected=head(),
    )


def _refuse_unknown(found: str | None) -> None:
    if found is not None and found not in {script.revision for script in _scripts().walk_revisions()}:
        raise SchemaOutdated(
            f"The warehouse is at revision {found}, which this code does not know: newer code migrated it. "
            f"To mend: update this installation.",
            current=found,
            expected=head(),
        )


def _config() -> Config:
    config = Config()
    # Reason: Alembic interpolates %, which a path may contain.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _run_upgrade(connection: AlchemyConnection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.Error):
            raise from_database_error(error.orig) from error
        raise
    except psycopg.Error as error:
        raise from_database_error(error) from error
