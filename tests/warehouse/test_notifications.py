"""Notifications: stored once, promised once, never forgotten while they wait."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from tests.warehouse.rows import query
from warehouse.connect import Warehouse
from warehouse.ops.notifications import (
    Received,
    forget_notifications,
    mark_asked,
    mark_ignored,
    new_notifications,
    notifications_can_be_stored,
    promise_run,
    store_notifications,
)

WHEN = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def change(number: int) -> Received:
    digest = number.to_bytes(32, "big")
    return Received(digest, "ad_account", 1, "effective_status", WHEN, {"field": "effective_status", "value": number})


def test_the_same_is_stored_once_also_by_several_at_a_time(warehouse: Warehouse) -> None:
    notifications_can_be_stored(warehouse)
    assert store_notifications(warehouse, []) == 0
    assert store_notifications(warehouse, [change(1), change(2)]) == 2
    assert store_notifications(warehouse, [change(2), change(3), change(3)]) == 1
    with ThreadPoolExecutor(4) as pool:  # In opposite orders, which must not deadlock.
        orders = [range(4, 204), range(203, 3, -1)] * 4
        counts = list(pool.map(lambda order: store_notifications(warehouse, [change(n) for n in order]), orders))
    assert sum(counts) == 200
    assert [item.payload["value"] for item in new_notifications(warehouse, 3)] == [1, 2, 3]
    assert len(new_notifications(warehouse)) == 203
    first = new_notifications(warehouse)[0]
    assert (first.object, first.account_id, first.field, first.event_time) == (
        "ad_account",
        1,
        "effective_status",
        WHEN,
    )


def test_what_cannot_be_understood_is_kept_and_does_not_wait(warehouse: Warehouse) -> None:
    body = bytes(range(256))
    odd = Received(b"x" * 32, body=body, state="unknown", reason="the body is no JSON")
    assert store_notifications(warehouse, [odd, Received(b"y" * 32, payload="a\x00b", state="unknown")]) == 2
    assert new_notifications(warehouse) == []
    rows = query(warehouse, "SELECT state, body, payload #>> '{}', reason FROM ops.notification ORDER BY digest")
    assert rows == [("unknown", body, None, "the body is no JSON"), ("unknown", None, "a\ufffdb", None)]


def test_a_run_is_promised_once(warehouse: Warehouse) -> None:
    store_notifications(warehouse, [change(n) for n in range(4)])
    one, two, three, four = (item.notification_id for item in new_notifications(warehouse))
    assert promise_run(warehouse, [one, two], "first") == 2
    assert promise_run(warehouse, [two, three], "second") == 1  # Somebody else was first with the other.
    assert [item.run_key for item in new_notifications(warehouse)] == ["first", "first", "second", None]
    mark_asked(warehouse, [one], "first")
    mark_ignored(warehouse, [one, four], "nobody asked")  # What was asked for stays so.
    states = query(warehouse, "SELECT state, run_key, reason FROM ops.notification ORDER BY notification_id")
    assert states == [
        ("asked", "first", None),
        ("new", "first", None),
        ("new", "second", None),
        ("ignored", None, "nobody asked"),
    ]
    assert promise_run(warehouse, [one, four], "third") == 0


def test_old_ones_are_forgotten_unless_they_wait(warehouse: Warehouse) -> None:
    store_notifications(warehouse, [change(n) for n in range(3)])
    one, two, _ = (item.notification_id for item in new_notifications(warehouse))
    mark_asked(warehouse, [one], "first")
    mark_ignored(warehouse, [two], "nobody asked")
    now = datetime.now(UTC)
    assert forget_notifications(warehouse, now - timedelta(hours=1)) == 0
    assert forget_notifications(warehouse, now + timedelta(hours=1)) == 2
    assert [item.payload["value"] for item in new_notifications(warehouse)] == [2]
