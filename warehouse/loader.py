"""Replacing slices: the only way insights get into the warehouse.

What belongs here: the transaction that deletes a slice, copies its rows and records both. What does not:
checking and encoding rows (`warehouse.encoder`), what the totals are (`warehouse.revision`).

A slice is (account, report, day). It is replaced whole in one transaction, so that repeating a pull changes
nothing, rows that Meta withdrew disappear, and a failure leaves what was there. A pull with the same
content as what is stored writes no rows and leaves the slice's mark for the marts alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import psycopg
from psycopg import sql

from warehouse import revision
from warehouse.connect import Warehouse
from warehouse.encoder import EncodedSlice, encoder_for
from warehouse.errors import SliceRejected, SlicesRejected
from warehouse.pool import Connection
from warehouse.provenance import Provenance
from warehouse.tables import InsightTable

_LOCK_AND_LOOK = """
    SELECT digest, attribution_windows
    FROM ops.slice
    WHERE account_id = %s AND report = %s AND day = %s
"""
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
_RECORD = """
    INSERT INTO ops.slice (
        account_id, report, day, run_id, source, api_version, attribution_windows,
        pulled_at, committed_at, row_count, duplicate_count, build_id, digest
    )
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, clock_timestamp(), %s, %s, NULL, %s)
    ON CONFLICT (account_id, report, day) DO UPDATE SET
        run_id = excluded.run_id,
        source = excluded.source,
        api_version = excluded.api_version,
        attribution_windows = excluded.attribution_windows,
        pulled_at = excluded.pulled_at,
        committed_at = excluded.committed_at,
        row_count = excluded.row_count,
        duplicate_count = excluded.duplicate_count,
        build_id = NULL,
        digest = excluded.digest
"""
_TOUCH = """
    UPDATE ops.slice
    SET
        run_id = %(run_id)s,
        source = %(source)s,
        api_version = %(api_version)s,
        pulled_at = %(pulled_at)s,
        committed_at = clock_timestamp(),
        build_id = CASE
            WHEN pulled_at < day + 30 AND %(pulled_at)s >= day + 27 AND pulled_at::date < %(pulled_at)s::date THEN NULL
            ELSE build_id
        END
    WHERE account_id = %(account_id)s AND report = %(report)s AND day = %(day)s
"""


@dataclass(frozen=True)
class SliceResult:
    """What became of a slice.

    Attributes:
        account_id: Its account.
        report: Its report.
        day: Its day, the account's own.
        row_count: Rows it holds now.
        duplicate_count: Rows dropped because a later one had the same key.
        repaired_count: Rows in which characters that PostgreSQL cannot store were replaced by U+FFFD.
        unchanged: True if the stored content was the same, so that only the pull was recorded.
    """

    account_id: int
    report: str
    day: date
    row_count: int
    duplicate_count: int
    repaired_count: int
    unchanged: bool


def replace_slice(
    warehouse: Warehouse,
    table: InsightTable,
    account_id: int,
    day: date,
    payloads: Iterable[bytes],
    provenance: Provenance,
) -> SliceResult:
    """Makes (account, report, day) hold exactly these rows, in one transaction.

    Processes that replace the same slice wait for each other.

    Args:
        warehouse: Where to.
        table: The report's table.
        account_id: The account, digits only.
        day: The account's own day; for a period report the period's last day.
        payloads: Meta's rows, each a JSON object as UTF-8 bytes; none at all empties the slice. Of rows with the same
            key the last one stays.
        provenance: Where they came from.

    Raises:
        SliceRejected: A row contradicts the slice or cannot be stored. Nothing was written.
        DiskFull: The server has no room. Nothing was written.
        DatabaseUnavailable: The connection broke. If that was during the commit, the slice may be stored; repeating
            is safe.
    """
    encoded = encoder_for(table).encode(account_id, day, payloads)
    with warehouse.connection() as connection:
        return _replace(warehouse, connection, table, account_id, day, encoded, provenance)


def replace_slices(
    warehouse: Warehouse,
    table: InsightTable,
    account_id: int,
    slices: Iterable[tuple[date, Iterable[bytes]]],
    provenance: Provenance,
) -> list[SliceResult]:
    """Replaces many days of one account and report over one connection, each day in a transaction of its own.

    A day that is rejected does not keep the others from being stored.

    Args:
        warehouse: Where to.
        table: The report's table.
        account_id: The account, digits only.
        slices: Days with their rows, read lazily; see `replace_slice`.
        provenance: Where they came from.

    Returns:
        One result per day, in order.

    Raises:
        SlicesRejected: At least one day was rejected; raised after all others are stored.
        WarehouseError: The database failed; days before the failing one are stored.
    """
    results: list[SliceResult] = []
    rejections: list[SliceRejected] = []
    encoder = encoder_for(table)
    with warehouse.connection() as connection:
        for day, payloads in slices:
            try:
                encoded = encoder.encode(account_id, day, payloads)
                results.append(_replace(warehouse, connection, table, account_id, day, encoded, provenance))
            except SliceRejected as rejection:
                rejections.append(rejection)
    if rejections:
        raise SlicesRejected(rejections)
    return results


def _replace(
    warehouse: Warehouse,
    connection: Connection,
    table: InsightTable,
    account_id: int,
    day: date,
    encoded: EncodedSlice,
    provenance: Provenance,
) -> SliceResult:
    storage = warehouse.storage
    storage.prepare_days(connection, table, [day])
    try:
        unchanged = _transaction(storage.slice_settings, connection, table, account_id, day, encoded, provenance)
    except psycopg.errors.CheckViolation:
        # Reason: no partition for the day: another process dropped the month since it was prepared.
        storage.forget_days()
        storage.prepare_days(connection, table, [day])
        unchanged = _transaction(storage.slice_settings, connection, table, account_id, day, encoded, provenance)
    except psycopg.DataError as error:
        raise _refused(table, account_id, day, error) from error
    return SliceResult(
        account_id=account_id,
        report=table.name,
        day=day,
        row_count=encoded.row_count,
        duplicate_count=encoded.duplicate_count,
        repaired_count=encoded.repaired_count,
        unchanged=unchanged,
    )


def _transaction(
    settings: tuple[str, ...],
    connection: Connection,
    table: InsightTable,
    account_id: int,
    day: date,
    encoded: EncodedSlice,
    provenance: Provenance,
) -> bool:
    """Replaces the slice; True if its content was the same and only the pull was recorded."""
    key = (account_id, table.name, day)
    windows = list(provenance.attribution_windows)
    parameters = revision.parameters(table, account_id, day, provenance)
    with connection.transaction():
        with connection.pipeline():
            connection.execute(_LOCK, [f"slice:{account_id}:{table.name}:{day}"])
            look = connection.execute(_LOCK_AND_LOOK, key)
        stored = look.fetchone()
        if stored is not None and stored[0] == encoded.digest and stored[1] == windows:
            with connection.pipeline():
                connection.execute(revision.REPEAT, parameters)
                # Reason: a day becomes final by growing older, too; the marts say so only when it is built again.
                connection.execute(
                    _TOUCH,
                    {
                        "run_id": provenance.run_id,
                        "source": provenance.source,
                        "api_version": provenance.api_version,
                        "pulled_at": provenance.pulled_at,
                        "account_id": account_id,
                        "report": table.name,
                        "day": day,
                    },
                )
            return True
        for setting in settings:
            connection.execute(setting.encode())
        delete, copy = _statements(table)
        connection.execute(delete, [account_id, day])
        if encoded.row_count:
            with connection.cursor() as cursor, cursor.copy(copy) as sink:
                for chunk in encoded.chunks:
                    sink.write(chunk)
        with connection.pipeline():
            connection.execute(revision.compute(table, provenance.attribution_windows), parameters)
            connection.execute(
                _RECORD,
                [
                    *key,
                    provenance.run_id,
                    provenance.source,
                    provenance.api_version,
                    windows,
                    provenance.pulled_at,
                    encoded.row_count,
                    encoded.duplicate_count,
                    encoded.digest,
                ],
            )
    return False


@lru_cache(maxsize=256)
def _statements(table: InsightTable) -> tuple[sql.Composed, sql.Composed]:
    delete = sql.SQL("DELETE FROM {} WHERE account_id = %s AND day = %s").format(table.identifier)
    copy = sql.SQL("COPY {} ({}) FROM STDIN").format(
        table.identifier, sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)
    )
    return delete, copy


def _refused(table: InsightTable, account_id: int, day: date, error: psycopg.DataError) -> SliceRejected:
    """A value that passed the encoder and that the server refused, e.g. a number beyond what jsonb holds."""
    context = error.diag.context or ""
    return SliceRejected(
        account_id=account_id,
        report=table.name,
        day=day,
        column="payload",
        value=context.splitlines()[0] if context else "",
        reason=f"the server refused it: {error.diag.message_primary or error}",
        mend="pull the slice again; if it stays, report it as a defect",
    )
