"""What Meta's webhooks said (`ops.notification`): stored once, and what was done about it.

What belongs here: storing, handing out, marking, forgetting. What does not: what a notification means
(`orchestration.receiver.meaning`), HTTP.

A notification is `new` until a run that pulls what it speaks of exists. It is given the key of that run first, and
marked `asked` once the run is there: whoever dies in between leaves it to be asked for again under the same key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from warehouse.connect import Warehouse
from warehouse.sqlvalues import jsonb

ReceivedState = Literal["new", "unknown"]
MOST_AT_ONCE = 10_000
"""How many notifications are handed out at once, oldest first; the rest wait for the next time."""

_STORE = """
    INSERT INTO ops.notification (object, account_id, field, event_time, payload, body, digest, state, reason)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (digest) DO NOTHING
"""
_REACHABLE = "SELECT FROM ops.notification LIMIT 0"
_NEW = """
    SELECT notification_id, received_at, object, account_id, field, event_time, payload, run_key
    FROM ops.notification WHERE state = 'new' ORDER BY notification_id LIMIT %s
"""
_GIVE_KEY = """
    UPDATE ops.notification SET run_key = %s, asked_at = clock_timestamp()
    WHERE notification_id = ANY(%s) AND state = 'new' AND run_key IS NULL
"""
_ASKED = """
    UPDATE ops.notification SET state = 'asked', run_key = %s, asked_at = coalesce(asked_at, clock_timestamp())
    WHERE notification_id = ANY(%s) AND state = 'new'
"""
_IGNORE = "UPDATE ops.notification SET state = 'ignored', reason = %s WHERE notification_id = ANY(%s) AND state = 'new'"
_FORGET = "DELETE FROM ops.notification WHERE received_at < %s AND state <> 'new'"


@dataclass(frozen=True)
class Received:
    """A change as it came in, to be stored.

    Attributes:
        digest: Of everything that tells it from others; what was stored with the same one is the same.
        object: What kind of thing changed, e.g. `ad_account`.
        account_id: Digits as a number; None where the notification names no account.
        field: What changed, in Meta's words.
        event_time: What Meta says, UTC.
        payload: The change, JSON-like; None where nothing could be read.
        body: The bytes that came, where they could not be understood.
        state: `new`, or `unknown` for what could not be understood.
        reason: Why it could not.
    """

    digest: bytes
    object: str | None = None
    account_id: int | None = None
    field: str | None = None
    event_time: datetime | None = None
    payload: Any = None
    body: bytes | None = None
    state: ReceivedState = "new"
    reason: str | None = None


@dataclass(frozen=True)
class Notification:
    """A stored change that waits to be acted on.

    Attributes:
        notification_id: Ours; grows.
        received_at: When it was stored, UTC.
        object: As in `Received`.
        account_id: As in `Received`.
        field: As in `Received`.
        event_time: As in `Received`.
        payload: As in `Received`.
        run_key: Of the run that it was promised to; None if there is none yet.
    """

    notification_id: int
    received_at: datetime
    object: str | None
    account_id: int | None
    field: str | None
    event_time: datetime | None
    payload: Any
    run_key: str | None


def store_notifications(warehouse: Warehouse, received: Sequence[Received]) -> int:
    """Stores what was not stored before, in one transaction.

    Returns:
        How many were new; the others are repetitions.
    """
    rows = [
        (
            item.object,
            item.account_id,
            item.field,
            item.event_time,
            None if item.payload is None else jsonb(item.payload),
            item.body,
            item.digest,
            item.state,
            item.reason,
        )
        # Reason: in one order everywhere, so that two receivers with the same repetitions cannot deadlock.
        for item in sorted(received, key=lambda item: item.digest)
    ]
    with warehouse.connection() as connection, connection.transaction(), connection.cursor() as cursor:
        if not rows:
            return 0
        cursor.executemany(_STORE, rows)
        return cursor.rowcount


def notifications_can_be_stored(warehouse: Warehouse) -> None:
    """Returns if a notification could be stored now.

    Raises:
        DatabaseUnavailable: The server cannot be reached.
        SchemaOutdated: There is no table for it.
    """
    with warehouse.connection() as connection:
        connection.execute(_REACHABLE)


def new_notifications(warehouse: Warehouse, limit: int = MOST_AT_ONCE) -> list[Notification]:
    """Those that wait to be acted on, oldest first."""
    with warehouse.connection() as connection:
        return [Notification(*row) for row in connection.execute(_NEW, [limit])]


def promise_run(warehouse: Warehouse, ids: Sequence[int], run_key: str) -> int:
    """Gives notifications the key of the run that is about to be asked for.

    Returns:
        How many got it: those that have no key yet.
    """
    with warehouse.connection() as connection:
        return connection.execute(_GIVE_KEY, [run_key, list(ids)]).rowcount


def mark_asked(warehouse: Warehouse, ids: Sequence[int], run_key: str) -> None:
    """Notes that the run exists which pulls what these notifications speak of."""
    with warehouse.connection() as connection:
        connection.execute(_ASKED, [run_key, list(ids)])


def mark_ignored(warehouse: Warehouse, ids: Sequence[int], reason: str) -> None:
    """Notes that nothing is pulled for these notifications, and why."""
    with warehouse.connection() as connection:
        connection.execute(_IGNORE, [reason, list(ids)])


def forget_notifications(warehouse: Warehouse, before: datetime) -> int:
    """Deletes what came before a moment, but nothing that still waits.

    Args:
        warehouse: Where.
        before: With a time zone. Meta repeats deliveries for up to 36 hours: keep more than two days, or a repetition
            is taken for news.

    Returns:
        How many.
    """
    with warehouse.connection() as connection:
        return connection.execute(_FORGET, [before]).rowcount
