"""An agency with three clients and small marts of every shape, and people who log in as a client.

Client ids are unique in the whole server, because roles belong to the server and other tests run beside.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow
from pydantic import SecretStr

from warehouse.connect import Warehouse
from warehouse.isolation import SyncResult, ensure_login, role_name, schema_name, sync_client_schemas

PASSWORD = "correct horse ✓ battery"
ACME, BLOOM, CORVID = "acme-eu", "bloom", "corvid"
ACCOUNTS = {ACME: (101, 102), BLOOM: (201, 202, 203), CORVID: (301,)}

_MARTS = (
    "CREATE SCHEMA marts",
    "CREATE TABLE marts.dim_account (account_id bigint PRIMARY KEY, client_id text, client_name text, name text)",
    """
    CREATE TABLE marts.dim_campaign (
        account_id bigint, campaign_id bigint, name text, PRIMARY KEY (account_id, campaign_id)
    )
    """,
    """
    CREATE TABLE marts.mart_daily (
        account_id bigint, day date, client_id text, client_name text, campaign_name text, spend numeric, goals jsonb,
        PRIMARY KEY (account_id, day, campaign_name)
    )
    """,
    "CREATE TABLE marts.fct_hour (day date, hour int, account_id bigint, spend numeric) PARTITION BY RANGE (day)",
    "CREATE TABLE marts.fct_hour_p2026_11 PARTITION OF marts.fct_hour FOR VALUES FROM ('2026-11-01') TO ('2026-12-01')",
    """
    CREATE VIEW marts.mart_ops_slices AS
    SELECT slices.account_id, slices.report, slices.day, accounts.client_id, accounts.client_name
    FROM ops.slice AS slices JOIN marts.dim_account AS accounts ON accounts.account_id = slices.account_id
    """,
    "CREATE TABLE marts.dim_day (day date PRIMARY KEY, is_weekend boolean)",
    "CREATE TABLE marts.mart_totals (day date, spend numeric)",
    "CREATE TABLE marts.mart_by_name (account_id text, spend numeric)",
    "CREATE TABLE marts.helper (account_id bigint)",
    "CREATE TABLE marts.mart_old__dbt_tmp (account_id bigint)",
)
_ROWS = (
    """
    INSERT INTO marts.dim_account
    SELECT account_id, client_id, client_name, 'account ' || account_id FROM ops.client_account
    """,
    """
    INSERT INTO marts.dim_campaign
    SELECT account_id, number, 'campaign ' || account_id || '/' || number
    FROM marts.dim_account, generate_series(1, 4) AS number
    """,
    """
    INSERT INTO marts.mart_daily
    SELECT
        account_id, '2026-11-01'::date + day, client_id, client_name, 'campaign ' || account_id, account_id + day, '{}'
    FROM marts.dim_account, generate_series(0, 9) AS day
    """,
    """
    INSERT INTO marts.fct_hour
    SELECT '2026-11-05', hour, account_id, account_id FROM marts.dim_account, generate_series(0, 23) AS hour
    """,
    """
    INSERT INTO ops.slice (
        account_id, report, day, run_id, source, attribution_windows, pulled_at, committed_at, row_count,
        duplicate_count, build_id
    )
    SELECT account_id, 'ad_daily', '2026-11-01', gen_random_uuid(), 'api', '{}', now(), now(), 1, 0, 1
    FROM marts.dim_account
    """,
    "INSERT INTO marts.dim_day VALUES ('2026-11-01', true)",
    "INSERT INTO marts.mart_totals VALUES ('2026-11-01', 12345)",
    "ANALYZE",
)
_DECLARE = """
    INSERT INTO ops.client_account (account_id, client_id, client_name) VALUES (%s, %s, %s)
    ON CONFLICT (account_id) DO UPDATE SET client_id = excluded.client_id, client_name = excluded.client_name
"""
PUBLISHED = ("dim_account", "dim_campaign", "dim_day", "fct_hour", "fct_hour_p2026_11", "mart_daily", "mart_ops_slices")


class Agency:
    """A warehouse with fake marts."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.suffix = uuid4().hex[:8]
        self.extra_clients: list[str] = []

    def id(self, client: str) -> str:
        """The client's id in this test."""
        return f"{client}-{self.suffix}"

    def schema(self, client: str) -> str:
        return schema_name(self.id(client))

    def role(self, client: str) -> str:
        return role_name(self.id(client))

    def run(self, *statements: str) -> None:
        with self.warehouse.connection() as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def rows(self, statement: str | sql.Composed, parameters: Any = None) -> list[TupleRow]:
        with self.warehouse.connection() as connection:
            query = statement.encode() if isinstance(statement, str) else statement
            return connection.execute(query, parameters).fetchall()

    def declare(self, accounts: dict[str, tuple[int, ...]]) -> None:
        """As `sync_declarations` writes it; a moved account's slices are due again."""
        with self.warehouse.connection() as connection:
            for client, numbers in accounts.items():
                for account in numbers:
                    connection.execute(
                        _DECLARE,
                        [account, self.id(client), f"Name of {client}"],
                    )

    def move(self, account: int, client: str) -> None:
        self.declare({client: (account,)})
        self.run(f"UPDATE ops.slice SET build_id = NULL WHERE account_id = {account}")

    def build(self, status: str = "succeeded", *, whole: bool = True) -> None:
        """What a build of the marts leaves behind; one that is not whole rebuilds the accounts alone."""
        self.run(
            f"INSERT INTO ops.mart_build (status, slices) VALUES ('{status}', 1)",
            "INSERT INTO marts.dim_account SELECT account_id, client_id, client_name, '' FROM ops.client_account "
            "ON CONFLICT (account_id) DO UPDATE SET client_id = excluded.client_id, client_name = excluded.client_name",
        )
        if whole and status == "succeeded":
            self.run("UPDATE ops.slice SET build_id = 1 WHERE build_id IS NULL")

    def sync(self, *clients: str) -> SyncResult:
        return sync_client_schemas(self.warehouse, [self.id(client) for client in clients] or None)

    def let_in(self, client: str) -> str:
        return ensure_login(self.warehouse, self.id(client), SecretStr(PASSWORD))

    @contextmanager
    def as_role(self, role: str) -> Iterator[psycopg.Connection[TupleRow]]:
        """A session of somebody who has logged in as this role."""
        parameters: dict[str, Any] = {**self.warehouse.parameters, "user": role, "password": PASSWORD}
        with psycopg.Connection[TupleRow].connect("", autocommit=True, **parameters) as session:
            yield session

    def forget_roles(self) -> None:
        """Roles outlive the test's database."""
        names = [row[0] for row in self.rows("SELECT rolname FROM pg_roles WHERE rolname LIKE 'mb\\_%'")]
        for name in names:
            if name.endswith(self.suffix) or name in {role_name(client) for client in self.extra_clients}:
                role = sql.Identifier(name).as_string()
                self.run(f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def make_agency(warehouse: Warehouse) -> Agency:
    agency = Agency(warehouse)
    agency.declare(ACCOUNTS)
    agency.run(*_MARTS, *_ROWS)
    return agency


def fits(password: str, verifier: str) -> bool:
    """Whether a password is that of a SCRAM verifier: mechanism $ count : salt $ stored key : server key (RFC 5803)."""
    mechanism, parameters, keys = verifier.split("$")
    count, salt = parameters.split(":")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(count))
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    return mechanism == "SCRAM-SHA-256" and base64.b64encode(stored).decode() == keys.split(":")[0]
