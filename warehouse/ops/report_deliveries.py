"""Reports by e-mail: what became of each report and period (`ops.report_delivery`), and who may work on one.

What belongs here: the rows, changed only by whoever read their newest version, and the lock of a report. What does not:
what follows from a state (`orchestration.reports.deliver`).

    writing    a process took it up; if that process died, it is taken up again
    withheld   its data are not complete or not reconciled; tried again at `retry_at`
    failed     it could not be written, or the mail server had none of it; tried again at `retry_at`
    sending    the mail server is being given it; if the process died here, nobody knows: `unsure`
    sent       the mail server has it
    unsure     it may have been delivered, and is not sent again by itself
    given_up   its deadline passed before it could be sent
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any, Literal

import psycopg
from psycopg.rows import dict_row

from warehouse.connect import Warehouse
from warehouse.errors import DeliveryChanged, translated
from warehouse.sqlvalues import jsonb, storable

State = Literal["writing", "withheld", "failed", "sending", "sent", "unsure", "given_up"]

_TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
_UNLOCK = "SELECT pg_advisory_unlock(hashtextextended(%s, 0))"
_COLUMNS = """
    client_id, report, first_day, last_day, version, state, reason, mend, due_at, begun_at, tried_at, retry_at,
    sent_at, attempts, copy, message_id, digest, recipients, refused
"""
_FIND = f"""
    SELECT {_COLUMNS} FROM ops.report_delivery
    WHERE client_id = %s AND report = %s AND first_day = %s AND last_day = %s
"""  # noqa: S608 - a constant
_SINCE = f"""
    SELECT {_COLUMNS} FROM ops.report_delivery
    WHERE tried_at >= coalesce(%s, '-infinity'::timestamptz)
    ORDER BY client_id, report, last_day DESC, first_day
"""  # noqa: S608
_UNFINISHED = f"""
    SELECT {_COLUMNS} FROM ops.report_delivery
    WHERE client_id = %s AND report = %s AND state IN ('writing', 'withheld', 'failed', 'sending')
    ORDER BY last_day, first_day
"""  # noqa: S608
_INSERT = f"""
    INSERT INTO ops.report_delivery ({_COLUMNS})
    VALUES (
        %(client_id)s, %(report)s, %(first_day)s, %(last_day)s, 1, %(state)s, %(reason)s, %(mend)s, %(due_at)s,
        %(begun_at)s, %(tried_at)s, %(retry_at)s, %(sent_at)s, %(attempts)s, %(copy)s, %(message_id)s, %(digest)s,
        %(recipients)s, %(refused)s
    )
    ON CONFLICT (client_id, report, first_day, last_day) DO NOTHING
    RETURNING {_COLUMNS}
"""  # noqa: S608
_UPDATE = f"""
    UPDATE ops.report_delivery SET
        version = version + 1,
        state = %(state)s,
        reason = %(reason)s,
        mend = %(mend)s,
        due_at = %(due_at)s,
        tried_at = %(tried_at)s,
        retry_at = %(retry_at)s,
        sent_at = %(sent_at)s,
        attempts = %(attempts)s,
        copy = %(copy)s,
        message_id = %(message_id)s,
        digest = %(digest)s,
        recipients = %(recipients)s,
        refused = %(refused)s
    WHERE
        client_id = %(client_id)s
        AND report = %(report)s
        AND first_day = %(first_day)s
        AND last_day = %(last_day)s
        AND version = %(version)s
    RETURNING {_COLUMNS}
"""  # noqa: S608
_DELETE = """
    DELETE FROM ops.report_delivery
    WHERE client_id = %s AND report = %s AND first_day = %s AND last_day = %s AND version = %s
"""
# Reason for keeping the newest of a report that is declared: without its row, its period would count as never sent.
_FORGET = """
    DELETE FROM ops.report_delivery AS delivery
    WHERE
        delivery.tried_at < %(before)s
        AND (
            NOT (delivery.client_id || '/' || delivery.report) = ANY(%(declared)s)
            OR EXISTS (
                SELECT FROM ops.report_delivery AS newer
                WHERE
                    newer.client_id = delivery.client_id
                    AND newer.report = delivery.report
                    AND newer.last_day > delivery.last_day
            )
        )
"""


@dataclass(frozen=True)
class Delivery:
    """A report's period and what became of it.

    Attributes:
        client_id: Of `clients.yml`.
        report: Its name there.
        first_day: First day of the period, as the accounts count days.
        last_day: Last day, included.
        due_at: When it was to be sent, UTC.
        begun_at: When it was first tried.
        tried_at: When it was last tried.
        state: See this module.
        version: Of the row; 0 for one that is not stored yet.
        reason: Why it was not sent, or what was odd about it.
        mend: What to do about it.
        retry_at: When it is tried again; None if it is not.
        sent_at: When the mail server had taken it.
        attempts: How often it was taken up.
        copy: How often somebody asked for it to be sent again.
        message_id: Of the newest message that was handed over.
        digest: SHA-256 of that message as it went over the line.
        recipients: To whom.
        refused: Those of them whom the server refused, each with its reason.
    """

    client_id: str
    report: str
    first_day: date
    last_day: date
    due_at: datetime
    begun_at: datetime
    tried_at: datetime
    state: State
    version: int = 0
    reason: str = ""
    mend: str = ""
    retry_at: datetime | None = None
    sent_at: datetime | None = None
    attempts: int = 0
    copy: int = 0
    message_id: str | None = None
    digest: str | None = None
    recipients: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, date, date]:
        """What there is one row of."""
        return self.client_id, self.report, self.first_day, self.last_day


def find(warehouse: Warehouse, client_id: str, report: str, first_day: date, last_day: date) -> Delivery | None:
    """What became of a report's period; None where nothing did."""
    with warehouse.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(_FIND, [client_id, report, first_day, last_day]).fetchone()
    return _delivery(row) if row else None


def deliveries(warehouse: Warehouse, since: datetime | None = None) -> list[Delivery]:
    """All of them, or those tried since a moment, by client and report, the newest period first."""
    with warehouse.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        return [_delivery(row) for row in cursor.execute(_SINCE, [since])]


def unfinished(warehouse: Warehouse, client_id: str, report: str) -> list[Delivery]:
    """Rows of a report that some process works on, or was to try again; the oldest period first."""
    with warehouse.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        return [_delivery(row) for row in cursor.execute(_UNFINISHED, [client_id, report])]


def put(warehouse: Warehouse, delivery: Delivery) -> Delivery:
    """Stores a row over the version that it was made from, or as a new one.

    Returns:
        It with its new version.

    Raises:
        DeliveryChanged: There is another version.
        WarehouseError: The database failed.
    """
    values = {one.name: getattr(delivery, one.name) for one in fields(Delivery)}
    texts = {name: storable(values[name]) for name in ("reason", "mend")}
    values |= texts | {"recipients": list(delivery.recipients), "refused": jsonb(dict(delivery.refused))}
    with warehouse.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(_UPDATE if delivery.version else _INSERT, values).fetchone()
    if row is None:
        raise _changed(delivery)
    return _delivery(row)


def drop(warehouse: Warehouse, delivery: Delivery) -> None:
    """Takes a row back.

    Raises:
        DeliveryChanged: There is another version.
    """
    with warehouse.connection() as connection:
        if not connection.execute(_DELETE, [*delivery.key, delivery.version]).rowcount:
            raise _changed(delivery)


@contextmanager
def turn(warehouse: Warehouse, client_id: str, report: str) -> Iterator[bool]:
    """Whether this process may work on a report; if so, nobody else may until the end of the block."""
    session = warehouse.session()
    name = f"meta-ads report {client_id}/{report}"
    is_mine = False
    try:
        with translated():
            row = session.execute(_TRY_LOCK, [name]).fetchone()
        is_mine = bool(row and row[0])
        yield is_mine
    finally:
        # Reason: the lock lives as long as its session, so a process that dies gives it back; but the server notices a
        # session that was closed a moment later, when somebody may have asked again.
        if is_mine:
            with suppress(psycopg.Error):
                session.execute(_UNLOCK, [name])
        session.close()


def forget(warehouse: Warehouse, before: datetime, declared: Collection[tuple[str, str]]) -> int:
    """Deletes what was last tried before a moment, with the addresses in it; returns how many.

    Args:
        warehouse: Migrated.
        before: With a time zone.
        declared: Client and report of those that are still sent; the newest row of each stays.
    """
    names = [f"{client_id}/{report}" for client_id, report in declared]
    with warehouse.connection() as connection:
        return connection.execute(_FORGET, {"before": before, "declared": names}).rowcount


def _changed(delivery: Delivery) -> DeliveryChanged:
    name = f"{delivery.client_id}/{delivery.report} until {delivery.last_day}"
    return DeliveryChanged(f"Another process works on the report {name}.")


def _delivery(row: dict[str, Any]) -> Delivery:
    return Delivery(**{**row, "recipients": tuple(row["recipients"])})
