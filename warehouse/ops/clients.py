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
from warehouse.sqlvalues import jsonb

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('meta-ads clients', 0))"
_READ = """
    SELECT account_id, client_id, client_name, account_name, conversion_action, value_action, conversion_window, goals
    FROM ops.client_account
"""
_WRITE = """
    INSERT INTO ops.client_account
        (account_id, client_id, client_name, account_name, conversion_action, value_action, conversion_window, goals)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (account_id) DO UPDATE SET
        client_id = excluded.client_id,
        client_name = excluded.client_name,
        account_name = excluded.account_name,
        conversion_action = excluded.conversion_action,
        value_action = excluded.value_action,
        conversion_window = excluded.conversion_window,
        goals = excluded.goals
"""
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
            default), `goals` (JSON-like; money in the account's currency).
        remove_others: Also remove all accounts that `rows` does not name.

    Raises:
        RowRejected: Two rows name the same account, or one lacks a required key.
    """
    wanted: dict[int, tuple[Any, ...]] = {}
    for row in rows:
        values = _values(row)
        if values[0] in wanted:
            raise RowRejected(
                f"Account {values[0]} is listed twice, under clients {wanted[values[0]][1]!r} and {values[1]!r}. "
                "To mend: leave it under one of them."
            )
        wanted[values[0]] = values
    with warehouse.connection() as connection, connection.transaction():
        connection.execute(_LOCK)
        stored = {row[0]: tuple(row) for row in connection.execute(_READ)}
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
    optional = ("account_name", "conversion_action", "value_action", "conversion_window")
    # Reason: through JSON and back, so that what is compared is what the database would give back.
    goals = orjson.loads(orjson.dumps(row.get("goals") or {}, default=str))
    return (*required, *(row.get(name) for name in optional), goals)
