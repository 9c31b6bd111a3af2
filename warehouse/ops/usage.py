"""The call budget that all processes share (`ops.call_budget`), and what Meta last said (`ops.api_usage`).

What belongs here: the store. It fits the protocol `UsageStore` of `ingestion.state`, which is not imported.
What does not: what the state means, and waiting.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from psycopg.rows import dict_row

from warehouse.connect import Warehouse
from warehouse.ops import counters
from warehouse.sqlvalues import jsonb

_LOAD = """
    SELECT scope, scope_id, usage_type, utilisation::float8 AS utilisation, regain_at, tier, detail, observed_at
    FROM ops.api_usage
    WHERE (%(scope)s::text IS NULL OR scope = %(scope)s) AND (%(scope_id)s::text IS NULL OR scope_id = %(scope_id)s)
    ORDER BY scope, scope_id, usage_type
"""
_SAVE = """
    INSERT INTO ops.api_usage (scope, scope_id, usage_type, utilisation, regain_at, tier, detail, observed_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (scope, scope_id, usage_type) DO UPDATE SET
        utilisation = excluded.utilisation,
        regain_at = excluded.regain_at,
        tier = excluded.tier,
        detail = excluded.detail,
        observed_at = excluded.observed_at
    WHERE api_usage.observed_at <= excluded.observed_at
"""
_COUNT = """
    INSERT INTO ops.api_hour AS held (scope_id, hour, calls, waits, wait_seconds, refusals)
    VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT (scope_id, hour) DO UPDATE SET
        calls = held.calls + excluded.calls,
        waits = held.waits + excluded.waits,
        wait_seconds = held.wait_seconds + excluded.wait_seconds,
        refusals = held.refusals + excluded.refusals
"""
# Reason: a crash of the server may set the budget back by a moment; waiting for the disk twice a call costs more.
_HURRY = "SET LOCAL synchronous_commit TO off"
# Reason: in one order everywhere, or two processes could wait for each other.
_LOCK = "SELECT scope_id, state FROM ops.call_budget WHERE scope_id = ANY(%s) ORDER BY scope_id FOR UPDATE"
_ADD = "INSERT INTO ops.call_budget (scope_id, state) SELECT unnest(%s::text[]), '{}' ON CONFLICT DO NOTHING"
_STORE = """
    UPDATE ops.call_budget SET state = given.state
    FROM unnest(%s::text[], %s::jsonb[]) AS given (scope_id, state)
    WHERE call_budget.scope_id = given.scope_id
"""


class UsageStore:
    """The shared budget and the meters. Every call commits. Safe for threads."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def load(self, scope: str | None = None, scope_id: str | None = None) -> list[Mapping[str, Any]]:
        """Remembered meters, all of them or those of a scope (`app`, `account`) and an id.

        Returns:
            Rows of `scope, scope_id, usage_type, utilisation (percent), regain_at, tier, detail, observed_at`; times
            in UTC.
        """
        with self._warehouse.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            return list(cursor.execute(_LOAD, {"scope": scope, "scope_id": scope_id}))

    @contextmanager
    def exclusive(self, scope_ids: Sequence[str]) -> Iterator[dict[str, dict[str, Any]]]:
        """The budget's state by scope (`app` or an account's digits), locked for the time of the block.

        What the block leaves in the mapping is stored; nothing is if it raises.
        """
        wanted = sorted(scope_ids)
        with self._warehouse.connection() as connection, connection.transaction():
            connection.execute(_HURRY)
            found: dict[str, Any] = dict(connection.execute(_LOCK, [wanted]).fetchall())
            if len(found) < len(wanted):
                connection.execute(_ADD, [wanted])
                found = dict(connection.execute(_LOCK, [wanted]).fetchall())
            states: dict[str, dict[str, Any]] = {scope: dict(state) for scope, state in found.items()}
            yield states
            connection.execute(_STORE, [wanted, [jsonb(states[scope]) for scope in wanted]])

    def count(self, counted: Sequence[tuple[str, datetime, int, int, float, int]]) -> None:
        """Adds calls to their hour (`ops.api_hour`) and to the totals.

        Args:
            counted: Tuples of scope (an account's digits, or `app` for calls that concern none), hour (UTC), calls,
                waits for the quota, seconds waited, refusals by Meta; each scope and hour once.
        """
        totals: dict[tuple[str, counters.Labels], float] = {}
        for scope_id, _, calls, waits, seconds, refusals in counted:
            account = (("account", "" if scope_id == "app" else f"act_{scope_id}"),)
            for name, value in (
                (counters.CALLS, calls),
                (counters.WAITS, waits),
                (counters.WAIT_SECONDS, seconds),
                (counters.REFUSALS, refusals),
            ):
                totals[name, account] = totals.get((name, account), 0) + value
        with self._warehouse.connection() as connection, connection.transaction():
            connection.execute(_HURRY)
            for row in sorted(counted):
                connection.execute(_COUNT, row)
            counters.add(connection, totals)

    def save(
        self,
        scope: str,
        scope_id: str,
        usage_type: str,
        *,
        utilisation: float,
        regain_at: datetime | None,
        tier: str | None,
        detail: Mapping[str, Any],
        observed_at: datetime,
    ) -> None:
        """Remembers one meter; utilisation in percent. An observation older than the stored one is dropped."""
        values = [scope, scope_id, usage_type, utilisation, regain_at, tier, jsonb(dict(detail)), observed_at]
        with self._warehouse.connection() as connection:
            connection.execute(_SAVE, values)
