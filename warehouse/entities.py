"""Entities (accounts, campaigns, ad sets, ads, creatives, studies, conversions, pixels) into `raw`.

What belongs here: storing what Meta said about objects. What does not: insights (`warehouse.loader`), the
change history (`warehouse.activities`, reached through `upsert_entities` too).

An object is rewritten only when it changed, so `pulled_at` and `run_id` tell which pull first brought its
present content.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

import orjson
import psycopg
from psycopg import sql

from warehouse import activities
from warehouse.connect import Warehouse
from warehouse.errors import RowRejected
from warehouse.ops.slices import unmark, unmark_since
from warehouse.provenance import Provenance
from warehouse.values import BadValue, identifier, replace_unstorable

KINDS = ("accounts", "campaigns", "adsets", "ads", "adcreatives", "ad_studies", "custom_conversions", "pixels")
"""Kinds with a table `raw.<kind>`; `activities` has another shape."""

# Reason: marts show these names; a renamed pixel or study changes no fact.
_NAMED_IN_MARTS = {"accounts", "campaigns", "adsets", "ads", "adcreatives"}
# Reason: marts show budgets and statuses as of each day, and a change may be heard of days later.
_WITH_HISTORY = {"campaigns", "adsets", "ads"}
_BATCH = 2000
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
_RENAMED = """
    SELECT count(*)
    FROM {table} AS stored
    JOIN unnest(%(id)s::bigint[], %(name)s::text[]) AS incoming (id, name) ON incoming.id = stored.id
    WHERE stored.account_id = %(account_id)s AND stored.name IS DISTINCT FROM incoming.name
"""
# Reason for the day before: an account's day may have begun up to 14 hours before the same date in UTC.
_CHANGED_SINCE = """
    SELECT min(incoming.updated_time::timestamptz AT TIME ZONE 'UTC')::date - 1
    FROM {table} AS stored
    JOIN unnest(%(id)s::bigint[], %(status)s::text[], %(updated_time)s::text[])
        AS incoming (id, status, updated_time) ON incoming.id = stored.id
    WHERE
        stored.account_id = %(account_id)s
        AND (stored.status, stored.updated_time) IS DISTINCT FROM
            (incoming.status, incoming.updated_time::timestamptz)
"""
_UPSERT = """
    INSERT INTO {table} AS stored
        (account_id, id, name, status, effective_status, updated_time, payload, pulled_at, run_id)
    SELECT
        %(account_id)s, id, name, status, effective_status, updated_time::timestamptz, payload::jsonb,
        %(pulled_at)s, %(run_id)s
    FROM unnest(
        %(id)s::bigint[], %(name)s::text[], %(status)s::text[], %(effective_status)s::text[],
        %(updated_time)s::text[], %(payload)s::text[]
    ) AS incoming (id, name, status, effective_status, updated_time, payload)
    ON CONFLICT (account_id, id) DO UPDATE SET
        name = excluded.name,
        status = excluded.status,
        effective_status = excluded.effective_status,
        updated_time = excluded.updated_time,
        payload = excluded.payload,
        pulled_at = excluded.pulled_at,
        run_id = excluded.run_id
    WHERE (stored.name, stored.status, stored.effective_status, stored.updated_time, stored.payload)
        IS DISTINCT FROM
        (excluded.name, excluded.status, excluded.effective_status, excluded.updated_time, excluded.payload)
    RETURNING xmax = 0
"""
_NEWEST = "SELECT max(updated_time) FROM {table} WHERE account_id = %s"


@dataclass(frozen=True)
class EntityCounts:
    """What became of a batch.

    Attributes:
        received: Rows handed over.
        inserted: Objects (or events) that were new.
        updated: Objects that had changed in any way.
        renamed: Objects among them whose name had changed.
        unchanged: Objects (or events) already stored like that, and repetitions within the batch.
        slices_to_rebuild: Slices of the account that the next build takes in again because of a new name, or of a
            change on a day that the marts already hold.
    """

    received: int = 0
    inserted: int = 0
    updated: int = 0
    renamed: int = 0
    unchanged: int = 0
    slices_to_rebuild: int = 0


def upsert_entities(
    warehouse: Warehouse,
    kind: str,
    account_id: int,
    rows: Iterable[Mapping[str, Any] | bytes],
    provenance: Provenance,
) -> EntityCounts:
    """Stores objects of an account, in one transaction; of rows with the same id the last one stays.

    Args:
        warehouse: Where to.
        kind: One of `KINDS`, or `activities` (events are only added).
        account_id: The account, digits only.
        rows: Meta's objects as mappings or JSON bytes, each with `id` (of accounts also with `act_`).
        provenance: Where they came from.

    Raises:
        RowRejected: A row has no usable id, names another account, or holds something that cannot be stored. Nothing of
            this call was written.
        ValueError: There is no such kind.
    """
    objects = [_read(row) for row in rows]
    if kind == "activities":
        with warehouse.connection() as connection, connection.transaction():
            inserted, since = activities.insert(connection, account_id, objects, provenance)
            unmarked = unmark_since(connection, account_id, since - timedelta(days=1)) if since else 0
        return EntityCounts(len(objects), inserted, unchanged=len(objects) - inserted, slices_to_rebuild=unmarked)
    table = _table(kind)
    received = len(objects)
    by_id = {_object_id(kind, account_id, data): (data, payload) for data, payload in objects}
    inserted = updated = renamed = unmarked = 0
    changed_days: list[date] = []
    with warehouse.connection() as connection:
        try:
            with connection.transaction():
                # Reason: two processes that store the same objects in different order would deadlock.
                connection.execute(_LOCK, [f"entities:{kind}:{account_id}"])
                for batch in _batches(sorted(by_id.items())):
                    parameters = _parameters(account_id, batch, provenance)
                    found = connection.execute(sql.SQL(_RENAMED).format(table=table), parameters).fetchone()
                    renamed += found[0] if found else 0
                    found = connection.execute(sql.SQL(_CHANGED_SINCE).format(table=table), parameters).fetchone()
                    changed_days += [found[0]] if found and found[0] else []
                    written = connection.execute(sql.SQL(_UPSERT).format(table=table), parameters).fetchall()
                    inserted += sum(row[0] for row in written)
                    updated += sum(not row[0] for row in written)
                if renamed and kind in _NAMED_IN_MARTS:
                    unmarked = unmark(connection, [account_id])
                elif changed_days and kind in _WITH_HISTORY:
                    unmarked = unmark_since(connection, account_id, min(changed_days))
        except psycopg.DataError as error:
            raise RowRejected(
                f"raw.{kind}, account {account_id}: the server refused a value: {error.diag.message_primary}. "
                "To mend: pull the objects again; if it stays, report it as a defect."
            ) from error
    return EntityCounts(received, inserted, updated, renamed, received - inserted - updated, unmarked)


def newest_update(warehouse: Warehouse, kind: str, account_id: int) -> datetime | None:
    """The newest `updated_time` among an account's objects (of `activities`: `event_time`), UTC; None if there is none.

    Raises:
        ValueError: There is no such kind.
    """
    if kind == "activities":
        return activities.newest(warehouse, account_id)
    with warehouse.connection() as connection:
        row = connection.execute(sql.SQL(_NEWEST).format(table=_table(kind)), [account_id]).fetchone()
    return row[0] if row else None


def _table(kind: str) -> sql.Identifier:
    if kind not in KINDS:
        raise ValueError(f"There is no kind {kind!r}; choose one of {', '.join((*KINDS, 'activities'))}.")
    return sql.Identifier("raw", kind)


def _read(row: Mapping[str, Any] | bytes) -> tuple[Mapping[str, Any], str]:
    """An object and the JSON text to store for it, free of characters that PostgreSQL cannot hold."""
    try:
        payload = replace_unstorable(row if isinstance(row, bytes) else orjson.dumps(dict(row), default=str))
        data = orjson.loads(payload)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError, BadValue, UnicodeDecodeError) as error:
        raise RowRejected(f"A row is no JSON object: {error}: {str(row)[:120]}") from error
    if not isinstance(data, dict):
        raise RowRejected(f"A row is no JSON object: {str(row)[:120]}")
    return data, payload.decode()


def _object_id(kind: str, account_id: int, data: Mapping[str, Any]) -> int:
    raw = data.get("account_id") if kind == "accounts" else data.get("id")
    if raw is None and kind == "accounts":
        raw = data.get("id")
    try:
        found = int(identifier(raw.removeprefix("act_") if isinstance(raw, str) else raw))
        owner = data.get("account_id")
        if owner is not None and int(identifier(str(owner).removeprefix("act_"))) != account_id:
            raise RowRejected(
                f"raw.{kind}: object {found} belongs to account {owner}, not to {account_id}. "
                "To mend: hand each account's objects over on their own."
            )
    except BadValue as bad:
        raise RowRejected(f"raw.{kind}, account {account_id}: id {raw!r} {bad.reason}.") from None
    if kind == "accounts" and found != account_id:
        raise RowRejected(f"raw.accounts: the row is account {found}'s, not {account_id}'s.")
    return found


def _parameters(
    account_id: int, batch: list[tuple[int, tuple[Mapping[str, Any], str]]], provenance: Provenance
) -> dict[str, Any]:
    objects = [data for _, (data, _) in batch]
    return {
        "account_id": account_id,
        "pulled_at": provenance.pulled_at,
        "run_id": provenance.run_id,
        "id": [number for number, _ in batch],
        "name": [_text(data.get("name")) for data in objects],
        "status": [_text(data.get("status", data.get("account_status"))) for data in objects],
        "effective_status": [_text(data.get("effective_status")) for data in objects],
        "updated_time": [_moment(data.get("updated_time")) for data in objects],
        "payload": [payload for _, (_, payload) in batch],
    }


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()


def _moment(value: Any) -> str | None:
    """A time as text for the server; Meta writes ISO 8601 with an offset, or epoch seconds where asked to."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(value, UTC).isoformat()
        except (OverflowError, ValueError, OSError):
            return str(value)
    return _text(value)


def _batches(
    rows: Iterable[tuple[int, tuple[Mapping[str, Any], str]]],
) -> Iterator[list[tuple[int, tuple[Mapping[str, Any], str]]]]:
    rest = iter(rows)
    while batch := list(islice(rest, _BATCH)):
        yield batch
