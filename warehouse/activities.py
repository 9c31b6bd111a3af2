"""An account's change history into `raw.activities`: events are added, never changed.

What belongs here: storing events once. What does not: objects (`warehouse.entities`).

Meta gives events no id. Their key is a hash over the event's whole content, so that an event listed twice
is stored once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import orjson
import psycopg

from warehouse.connect import Warehouse
from warehouse.errors import RowRejected
from warehouse.pool import Connection
from warehouse.provenance import Provenance

_INSERT = """
    INSERT INTO raw.activities
        (account_id, event_time, event_type, object_id, event_key, payload, pulled_at, run_id)
    SELECT
        %(account_id)s, event_time::timestamptz, event_type, object_id, event_key, payload::jsonb,
        %(pulled_at)s, %(run_id)s
    FROM unnest(
        %(event_time)s::text[], %(event_type)s::text[], %(object_id)s::bigint[],
        %(event_key)s::text[], %(payload)s::text[]
    ) AS incoming (event_time, event_type, object_id, event_key, payload)
    ON CONFLICT (account_id, event_time, event_key) DO NOTHING
    RETURNING (event_time AT TIME ZONE 'UTC')::date
"""
_NEWEST = "SELECT max(event_time) FROM raw.activities WHERE account_id = %s"
_BIGINT_MAX = 2**63 - 1


def insert(
    connection: Connection,
    account_id: int,
    events: Sequence[tuple[Mapping[str, Any], str]],
    provenance: Provenance,
) -> tuple[int, date | None]:
    """Adds the events that are new; the caller opens the transaction.

    Args:
        connection: Where to.
        account_id: The account.
        events: Each event with its JSON text. `event_time` is Meta's ISO 8601 text; an `event_key` that the event
            brings along is used, else it is made.
        provenance: Where they came from.

    Returns:
        How many were new, and the UTC day of the oldest among them.

    Raises:
        RowRejected: An event has no time or no type, or a value that the server refuses.
    """
    if not events:
        return 0, None
    for data, _ in events:
        if not isinstance(data.get("event_time"), str) or not isinstance(data.get("event_type"), str):
            raise RowRejected(f"raw.activities, account {account_id}: an event lacks event_time or event_type.")
    try:
        added = connection.execute(
            _INSERT,
            {
                "account_id": account_id,
                "pulled_at": provenance.pulled_at,
                "run_id": provenance.run_id,
                "event_time": [data["event_time"] for data, _ in events],
                "event_type": [data["event_type"] for data, _ in events],
                "object_id": [_object_id(data.get("object_id")) for data, _ in events],
                "event_key": [_key(data) for data, _ in events],
                "payload": [payload for _, payload in events],
            },
        ).fetchall()
    except psycopg.DataError as error:
        raise RowRejected(
            f"raw.activities, account {account_id}: the server refused a value: {error.diag.message_primary}."
        ) from error
    return len(added), min((row[0] for row in added), default=None)


def newest(warehouse: Warehouse, account_id: int) -> datetime | None:
    """The time of an account's newest stored event, UTC; None if there is none."""
    with warehouse.connection() as connection:
        row = connection.execute(_NEWEST, [account_id]).fetchone()
    return row[0] if row else None


def _key(data: Mapping[str, Any]) -> str:
    given = data.get("event_key")
    if isinstance(given, str) and given:
        return given
    content = orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _object_id(value: Any) -> int | None:
    """Meta's id of the object concerned; None where it is none (accounts come as `act_…` without need)."""
    text = str(value).removeprefix("act_")
    if not text.isascii() or not text.isdigit() or len(text) > 19 or int(text) > _BIGINT_MAX:
        return None
    return int(text)
