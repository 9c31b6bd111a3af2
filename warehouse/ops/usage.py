"""What Meta last said about our usage (`ops.api_usage`), shared by all processes.

What belongs here: the store. It fits the protocol `UsageStore` of `ingestion.state`, which is not imported.
What does not: waiting.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg.rows import dict_row

from warehouse.connect import Warehouse
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


class UsageStore:
    """Meters in `ops.api_usage`. Every call commits. Safe for threads."""

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
