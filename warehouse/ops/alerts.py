"""Alerts: what is wrong, since when, and what was told about it on which channel (`ops.alert`, `ops.alert_delivery`).

What belongs here: keeping causes and deliveries, atomically. What does not: what is a cause, and when it is told
(`orchestration.alerts`).

A cause has one open row at most. One that comes back soon after it went continues its row; later it gets a new one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from psycopg.rows import dict_row

from warehouse.connect import Warehouse
from warehouse.errors import translated
from warehouse.pool import Connection
from warehouse.sqlvalues import jsonb, storable

Severity = Literal["warning", "error"]
Samples = Mapping[str, Mapping[str, Any]]

# Reason: processes that write at once wait for each other, so that none opens a cause that another just closes.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('meta-ads alerts', 0))"
_TAKE_TURN = "SELECT pg_try_advisory_lock(hashtextextended('meta-ads alert messages', 0))"
_REOPEN = """
    UPDATE ops.alert SET resolved_at = NULL, resolution = NULL, all_clear_at = NULL
    WHERE
        alert_id = (SELECT max(alert_id) FROM ops.alert WHERE cause = %(cause)s)
        AND resolved_at > %(reopen_after)s
        AND all_clear_at IS NULL
"""
_SEE = """
    INSERT INTO ops.alert (
        cause, kind, severity, account_id, title, detail, mend, samples, opened_at, last_seen_at
    )
    VALUES (
        %(cause)s, %(kind)s, %(severity)s, %(account_id)s, %(title)s, %(detail)s, %(mend)s, %(samples)s,
        %(now)s, %(now)s
    )
    ON CONFLICT (cause) WHERE resolved_at IS NULL DO UPDATE SET
        severity = excluded.severity,
        title = excluded.title,
        detail = excluded.detail,
        mend = excluded.mend,
        samples = alert.samples || excluded.samples,
        last_seen_at = greatest(alert.last_seen_at, excluded.last_seen_at),
        seen_count = alert.seen_count + 1
"""
_RESOLVE_UNSEEN = """
    UPDATE ops.alert SET resolved_at = greatest(%(now)s, opened_at), resolution = 'gone'
    WHERE resolved_at IS NULL AND kind = ANY(%(kinds)s) AND NOT cause = ANY(%(seen)s)
"""
_EXPIRE = """
    UPDATE ops.alert SET resolved_at = greatest(%(now)s, opened_at), resolution = 'expired'
    WHERE resolved_at IS NULL AND kind = ANY(%(kinds)s) AND last_seen_at < %(before)s
"""
_WITH_SAMPLES = "SELECT alert_id, samples FROM ops.alert WHERE resolved_at IS NULL AND samples <> '{}'"
_KEEP_SAMPLES = "UPDATE ops.alert SET samples = %(samples)s WHERE alert_id = %(alert_id)s"
# Reason: the samples stay, so that the all-clear can name what it concerns.
_RESOLVE = """
    UPDATE ops.alert SET resolved_at = greatest(%(now)s, opened_at), resolution = 'gone' WHERE alert_id = %(alert_id)s
"""
_BOARD = """
    WITH wanted AS (
        SELECT cause FROM ops.alert WHERE resolved_at IS NULL OR resolved_at >= %(since)s
        UNION
        SELECT cause FROM ops.alert_delivery WHERE told_count > 0 AND cleared_at IS NULL
    )
    SELECT DISTINCT ON (alert.cause)
        alert.alert_id, alert.cause, alert.kind, alert.severity, alert.account_id, alert.title, alert.detail,
        alert.mend, alert.samples, alert.opened_at, alert.last_seen_at, alert.seen_count, alert.resolved_at,
        alert.resolution
    FROM ops.alert AS alert
    JOIN wanted ON wanted.cause = alert.cause
    ORDER BY alert.cause, alert.alert_id DESC
"""
_DELIVERIES = """
    SELECT cause, channel, severity, told_at, told_count, cleared_at, problem
    FROM ops.alert_delivery WHERE cause = ANY(%s)
"""
_TOLD = """
    INSERT INTO ops.alert_delivery AS known (cause, channel, alert_id, severity, told_at, told_count, problem)
    VALUES (%(cause)s, %(channel)s, %(alert_id)s, %(severity)s, %(now)s, 1, %(problem)s)
    ON CONFLICT (cause, channel) DO UPDATE SET
        alert_id = excluded.alert_id,
        severity = excluded.severity,
        told_at = excluded.told_at,
        told_count = CASE WHEN known.cleared_at IS NULL THEN known.told_count + 1 ELSE 1 END,
        cleared_at = NULL,
        problem = excluded.problem
"""
_NOTIFIED = """
    UPDATE ops.alert SET notified_at = coalesce(notified_at, %(now)s), last_notified_at = %(now)s
    WHERE alert_id = %(alert_id)s
"""
_CLEARED = """
    UPDATE ops.alert_delivery SET cleared_at = %(now)s, problem = %(problem)s
    WHERE cause = %(cause)s AND channel = %(channel)s AND cleared_at IS NULL
"""
_ALL_CLEAR = "UPDATE ops.alert SET all_clear_at = coalesce(all_clear_at, %(now)s) WHERE alert_id = %(alert_id)s"
_NOT_DELIVERED = """
    INSERT INTO ops.alert_delivery (cause, channel, alert_id, problem)
    VALUES (%(cause)s, %(channel)s, %(alert_id)s, %(problem)s)
    ON CONFLICT (cause, channel) DO UPDATE SET problem = excluded.problem
"""
_FORGET_DELIVERIES = """
    DELETE FROM ops.alert_delivery AS delivery
    USING ops.alert AS alert
    WHERE alert.alert_id = delivery.alert_id AND alert.resolved_at < %(before)s
"""
_FORGET = "DELETE FROM ops.alert WHERE resolved_at < %(before)s"


@dataclass(frozen=True)
class Cause:
    """Something that is wrong, as it is seen now.

    Attributes:
        key: Names it for as long as it lasts, e.g. `account_stale:123`.
        kind: What sort of thing, e.g. `account_stale`.
        severity: `error` where somebody must act, `warning` where somebody should look.
        title: What is wrong, in a line.
        detail: More about it.
        mend: What to do about it.
        account_id: The one account that it concerns; None where that is several or none.
        samples: What it concerns, by subject: `account_id`, `run_id`, `text`, `at`, `job`, where known.
    """

    key: str
    kind: str
    severity: Severity
    title: str
    detail: str = ""
    mend: str = ""
    account_id: int | None = None
    samples: Samples = field(default_factory=dict)


@dataclass(frozen=True)
class Delivery:
    """What was told about a cause on one channel.

    Attributes:
        severity: Of the last message; None before the first.
        told_at: When the last message went out, UTC.
        told_count: Messages since the last all-clear.
        cleared_at: When the all-clear went out; None while it is owed, or nothing was ever told.
        problem: Why the last attempt failed, or what was odd about it.
    """

    severity: Severity | None = None
    told_at: datetime | None = None
    told_count: int = 0
    cleared_at: datetime | None = None
    problem: str | None = None

    @property
    def owes_all_clear(self) -> bool:
        """Whether the cause was told, and not yet that it is gone."""
        return self.told_count > 0 and self.cleared_at is None


@dataclass(frozen=True)
class Alert:
    """A cause as it is kept.

    Attributes:
        alert_id: Of the row.
        cause: As last seen.
        opened_at: When it was first seen, UTC.
        last_seen_at: When it was last seen.
        seen_count: How often.
        resolved_at: When it was gone; None while it is there.
        resolution: `gone`, or `expired` where nothing said so for long.
        deliveries: By channel.
    """

    alert_id: int
    cause: Cause
    opened_at: datetime
    last_seen_at: datetime
    seen_count: int = 1
    resolved_at: datetime | None = None
    resolution: str | None = None
    deliveries: Mapping[str, Delivery] = field(default_factory=dict)

    @property
    def accounts(self) -> list[int]:
        """Every account that it concerns."""
        found = {sample["account_id"] for sample in self.cause.samples.values() if sample.get("account_id")}
        return sorted(found | ({self.cause.account_id} if self.cause.account_id else set()))


@dataclass(frozen=True)
class Success:
    """A run that succeeded: what it was about, and the runs that it repeated."""

    subject: str
    run_ids: frozenset[str] = frozenset()


def record(warehouse: Warehouse, happened: Iterable[Cause | Success], now: datetime, *, reopen_after: datetime) -> None:
    """Takes in, in order, what happened: causes that were seen, and successes that end them.

    A success takes its subject out of every open cause; one that concerns nothing more is resolved.

    Args:
        warehouse: Migrated.
        happened: Oldest first.
        now: With a time zone.
        reopen_after: A cause that was resolved after this moment, and not told to be, goes on.
    """
    with warehouse.connection() as connection, connection.transaction():
        connection.execute(_LOCK)
        for one in happened:
            if isinstance(one, Cause):
                _see(connection, one, now, reopen_after)
            else:
                _succeed(connection, one, now)


def observe(
    warehouse: Warehouse,
    kinds: Collection[str],
    seen: Sequence[Cause],
    now: datetime,
    *,
    reopen_after: datetime,
) -> None:
    """Takes in all causes of these kinds that there are now; open ones that are not among them are resolved.

    Args:
        warehouse: Migrated.
        kinds: What was looked at. Causes of other kinds stay as they are.
        seen: What was found.
        now: With a time zone.
        reopen_after: As for `record`.
    """
    with warehouse.connection() as connection, connection.transaction():
        connection.execute(_LOCK)
        for cause in seen:
            _see(connection, cause, now, reopen_after)
        keys = [cause.key for cause in seen]
        connection.execute(_RESOLVE_UNSEEN, {"now": now, "kinds": sorted(kinds), "seen": keys})


def expire(warehouse: Warehouse, kinds: Collection[str], before: datetime, now: datetime) -> int:
    """Resolves open causes that nobody has seen since `before`; returns how many."""
    with warehouse.connection() as connection:
        return connection.execute(_EXPIRE, {"now": now, "kinds": sorted(kinds), "before": before}).rowcount


def board(warehouse: Warehouse, resolved_since: datetime) -> list[Alert]:
    """The newest row of each cause that is open, of which an all-clear is owed, or that ended since a moment."""
    with warehouse.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_BOARD, {"since": resolved_since}).fetchall()
        deliveries: dict[str, dict[str, Delivery]] = {}
        for found in cursor.execute(_DELIVERIES, [[row["cause"] for row in rows]]):
            cause, channel = found.pop("cause"), found.pop("channel")
            deliveries.setdefault(cause, {})[channel] = Delivery(**found)
    return [_alert(row, deliveries.get(row["cause"], {})) for row in rows]


@contextmanager
def turn(warehouse: Warehouse) -> Iterator[bool]:
    """Whether it is this process's turn to send messages; nobody else's until the end of the block if it is."""
    session = warehouse.session()
    try:
        with translated():
            row = session.execute(_TAKE_TURN).fetchone()
        yield bool(row and row[0])
    finally:
        session.close()  # Reason: the lock lives as long as its session, so a process that dies gives it back.


def told(warehouse: Warehouse, channel: str, alerts: Iterable[Alert], now: datetime, problem: str | None) -> None:
    """Notes that a message about these alerts went out; `problem` says what was odd about it."""
    with warehouse.connection() as connection, connection.transaction():
        for alert in alerts:
            values = _delivery(alert, channel, now, problem) | {"severity": alert.cause.severity}
            connection.execute(_TOLD, values)
            connection.execute(_NOTIFIED, values)


def cleared(warehouse: Warehouse, channel: str, alerts: Iterable[Alert], now: datetime, problem: str | None) -> None:
    """Notes that the all-clear for these alerts went out."""
    with warehouse.connection() as connection, connection.transaction():
        for alert in alerts:
            values = _delivery(alert, channel, now, problem)
            connection.execute(_CLEARED, values)
            connection.execute(_ALL_CLEAR, values)


def not_delivered(warehouse: Warehouse, channel: str, alerts: Iterable[Alert], problem: str) -> None:
    """Notes why a message could not be delivered. It stays due."""
    with warehouse.connection() as connection, connection.transaction():
        for alert in alerts:
            connection.execute(
                _NOT_DELIVERED,
                {"cause": alert.cause.key, "channel": channel, "alert_id": alert.alert_id, "problem": problem},
            )


def forget(warehouse: Warehouse, before: datetime) -> int:
    """Deletes alerts that were resolved before a moment; returns how many."""
    with warehouse.connection() as connection, connection.transaction():
        connection.execute(_LOCK)
        connection.execute(_FORGET_DELIVERIES, {"before": before})
        return connection.execute(_FORGET, {"before": before}).rowcount


def _see(connection: Connection, cause: Cause, now: datetime, reopen_after: datetime) -> None:
    connection.execute(_REOPEN, {"cause": cause.key, "reopen_after": reopen_after})
    # Reason: texts of errors hold anything, and one that cannot be stored would keep back every other cause.
    texts = {name: storable(getattr(cause, name)) for name in ("title", "detail", "mend")}
    samples = {
        storable(subject): {name: storable(one) if isinstance(one, str) else one for name, one in about.items()}
        for subject, about in cause.samples.items()
    }
    values = {"kind": cause.kind, "severity": cause.severity, "account_id": cause.account_id, **texts}
    connection.execute(_SEE, {"cause": cause.key, "samples": jsonb(samples), "now": now, **values})


def _succeed(connection: Connection, success: Success, now: datetime) -> None:
    for alert_id, samples in connection.execute(_WITH_SAMPLES).fetchall():
        left = {
            subject: sample
            for subject, sample in samples.items()
            if subject != success.subject and sample.get("run_id") not in success.run_ids
        }
        if not left:
            connection.execute(_RESOLVE, {"alert_id": alert_id, "now": now})
        elif len(left) < len(samples):
            connection.execute(_KEEP_SAMPLES, {"alert_id": alert_id, "samples": jsonb(left)})


def _alert(row: dict[str, Any], deliveries: Mapping[str, Delivery]) -> Alert:
    cause = Cause(
        row["cause"],
        row["kind"],
        row["severity"],
        row["title"],
        row["detail"],
        row["mend"],
        row["account_id"],
        row["samples"],
    )
    times = {name: row[name] for name in ("opened_at", "last_seen_at", "seen_count", "resolved_at", "resolution")}
    return Alert(row["alert_id"], cause, deliveries=deliveries, **times)


def _delivery(alert: Alert, channel: str, now: datetime, problem: str | None) -> dict[str, Any]:
    return {
        "cause": alert.cause.key,
        "channel": channel,
        "alert_id": alert.alert_id,
        "now": now,
        "problem": problem,
    }
