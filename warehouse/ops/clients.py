"""Which account belongs to which client, and what counts as its conversion (`ops.client_account`).

What belongs here: making the table equal to the configuration. What does not: reading the configuration.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from warehouse.connect import Warehouse
from warehouse.errors import RowRejected
from warehouse.ops.slices import unmark
from warehouse.pool import Connection
from warehouse.sqlvalues import jsonb

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('meta-ads clients', 0))"
"""Taken by transactions that compare the declared tables with a configuration."""

_READ = """
    SELECT
        account_id, client_id, client_name, account_name, conversion_action, value_action, conversion_window,
        reporting_currency, goals
    FROM ops.client_account
"""
_WRITE = """
    INSERT INTO ops.client_account
        (account_id, client_id, client_name, account_name, conversion_action, value_action, conversion_window,
        reporting_currency, goals)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (account_id) DO UPDATE SET
        client_id = excluded.client_id,
        client_name = excluded.client_name,
        account_name = excluded.account_name,
        conversion_action = excluded.conversion_action,
        value_action = excluded.value_action,
        conversion_window = excluded.conversion_window,
        reporting_currency = excluded.reporting_currency,
        goals = excluded.goals
"""
_NAME = 3
"""Where the account's name stands in a row."""
_REMOVE = "DELETE FROM ops.client_account WHERE account_id = ANY(%s)"


@dataclass(frozen=True)
class SyncCounts:
    """How many accounts were added, changed, removed and left alone."""

    added: int
    changed: int
    removed: int
    unchanged: int


def sync_clients(warehouse: Warehouse, rows: Iterable[Mapping[str, Any]], *, remove_others: bool = False) -> SyncCounts:
    """Stores accounts with their clients' settings, in one transaction.

    The next build takes in all slices of accounts whose settings were added, changed or removed.

    Args:
        warehouse: Where to.
        rows: Each with `account_id`, `client_id`, `client_name`, and as far as known `account_name`,
            `conversion_action` and `value_action` (action types),
            `conversion_window` (an attribution window, or `value` for the account's
            default), `reporting_currency` (ISO code), `goals` (JSON-like; money in the account's currency).
            Where `account_name` is not known, the stored one stays.
        remove_others: Also remove all accounts that `rows` does not name.

    Raises:
        RowRejected: Two rows name the same account, or one lacks a required key.
    """
    with warehouse.connection() as connection, connection.transaction():
        connection.execute(LOCK)
        return mirror_clients(connection, rows, remove_others=remove_others)


def mirror_clients(
    connection: Connection, rows: Iterable[Mapping[str, Any]], *, remove_others: bool = False
) -> SyncCounts:
    """What `sync_clients` does, in the caller's transaction, which holds `LOCK`."""
    wanted: dict[int, tuple[Any, ...]] = {}
    for row in rows:
        values = _values(row)
        if values[0] in wanted:
            raise RowRejected(
                f"Account {values[0]} is listed twice, under clients {wanted[values[0]][1]!r} and {values[1]!r}. "
                "To mend: leave it under one of them."
            )
        wanted[values[0]] = values
    stored = {row[0]: tuple(row) for row in connection.execute(_READ)}
    for key in wanted.keys() & stored.keys():
        if wanted[key][_NAME] is None:
            wanted[key] = (*wanted[key][:_NAME], stored[key][_NAME], *wanted[key][_NAME + 1 :])
    added = wanted.keys() - stored.keys()
    changed = {key for key in wanted.keys() & stored.keys() if wanted[key] != stored[key]}
    removed = stored.keys() - wanted.keys() if remove_others else set()
    for key in sorted(added | changed):
        *plain, goals = wanted[key]
        connection.execute(_WRITE, [*plain, jsonb(goals)])
    if removed:
        connection.execute(_REMOVE, [sorted(removed)])
    unmark(connection, added | changed | removed)
    return SyncCounts(len(added), len(changed), len(removed), len(wanted) - len(added) - len(changed))


def _values(row: Mapping[str, Any]) -> tuple[Any, ...]:
    try:
        required = (int(row["account_id"]), str(row["client_id"]), str(row["client_name"]))
    except (KeyError, TypeError, ValueError) as error:
        raise RowRejected(f"A client's account lacks account_id, client_id or client_name: {dict(row)}") from error
    optional = ("account_name", "conversion_action", "value_action", "conversion_window", "reporting_currency")
    # Reason: through JSON and back, so that what is compared is what the database would give back.
    goals = orjson.loads(orjson.dumps(row.get("goals") or {}, default=str))
    return (*required, *(row.get(name) for name in optional), goals)
